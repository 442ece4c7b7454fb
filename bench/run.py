#!/usr/bin/env python3
"""Measures millrace, and what the same machine does without it, in one run.

usage: run.py [--quick] [-o FILE] [--build FOLDER] [--against FILE] [--markdown] [GROUP...]

GROUP is one of those that bench/figures.py names; all without any. Build with benchmarks first:
./dev bench does both. docs/performance.md says what the figures mean.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile

from figures import FIGURES
from processes import SOURCE_TREE, Failed, Place
from report import Report


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Measures millrace; docs/performance.md explains."
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(FIGURES))
    parser.add_argument("--quick", action="store_true", help="less data, once: does it all run?")
    build = SOURCE_TREE / "build"
    for names, default, doc in [
        (["--against"], None, "the JSON of an earlier run, to be compared with"),
        (["-o", "--output"], build / "bench.json", "where the JSON goes"),
        (["--build"], build / "release", "where the binaries are"),
    ]:
        parser.add_argument(*names, type=pathlib.Path, metavar="PATH", default=default, help=doc)
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    given = parser.parse_args()
    for group in given.groups:
        if group not in FIGURES:
            parser.error(f"there is no group '{group}': {', '.join(FIGURES)}")
    return given


def measure(place, groups, report):
    """True where all could be measured."""
    is_whole = True
    for group in groups:
        print(f"measuring {group} ...", file=sys.stderr, flush=True)
        try:
            report.rows += FIGURES[group](place)
        except Failed as failure:
            print(f"{group}: {failure}", file=sys.stderr)
            is_whole = False
    return is_whole


def main():
    given = arguments()
    output = given.output.resolve()
    earlier = json.loads(given.against.read_text()) if given.against else None
    place = Place(given.build.resolve(), given.quick)
    # On the disk of the build: what is measured must not lie in memory.
    output.parent.mkdir(parents=True, exist_ok=True)
    work = tempfile.mkdtemp(prefix="bench-", dir=output.parent)
    os.environ["TMPDIR"] = work
    os.chdir(work)
    report = Report(given.quick)
    try:
        is_whole = measure(place, given.groups or FIGURES, report)
    finally:
        os.chdir("/")
        shutil.rmtree(work, ignore_errors=True)
    report.write(output)
    sys.stderr.flush()
    report.print(given.markdown)
    if earlier:
        report.print_against(earlier, given.markdown)
    print(f"all values: {output}", file=sys.stderr)
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
