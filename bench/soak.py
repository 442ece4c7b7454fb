#!/usr/bin/env python3
"""Runs a pipeline at full speed, with retention, and looks whether anything grows.

usage: soak.py [--minutes N] [--build FOLDER]     (./dev soak)

A source fetches users as fast as it can, the same million again and again, so that the table stays
as large as it is; the topic keeps its newest 512 MiB. A second source carries one record a second
through the same process; how old it is when a query first sees it is the latency. Each figure gets
a line by least squares, over all but the first fifth of the run; what grows by more than a tenth
over the whole run, beyond what chance explains, is not flat, and the exit status is 1. So it is
where the topic is ever larger than its retention explains.
"""

import argparse
import json
import math
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

from figures import EXAMPLE, USERS_A_PAGE, paged_pipeline
from processes import SOURCE_TREE, Failed, Millrace, Place, TestApi

DISTINCT_PAGES = 1_000
RETENTION_MIB = 512
SEGMENT_MIB = 64
RETENTION_EVERY_S = 10  # as in src/pipeline/retention.cc
GROWTH_MAX = 0.10  # of the mean, over the whole run
WARM_UP = 0.2  # of the run: caches and the first segments fill
FITTED = ["resident memory, MB", "descriptors", "threads", "latency, ms", "records waiting"]

PROBE = """
  probe:
    http: {url: "${env:PROBE_URL}", every: 1s}
    items: results
    schema: probe.schema.json
    to: probes
    select: SELECT id, made_ns FROM probe
"""
PROBE_SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "made_ns": {"type": "integer"}},
}


def soak_pipeline():
    """The example without pauses, with retention, and the probe beside it."""
    text = pathlib.Path(paged_pipeline()).read_text()
    for old, new in [
        ("\nsources:\n", "\nsources:" + PROBE),
        (
            "    partitions: 1\n",
            f"    partitions: 1\n    retention: {RETENTION_MIB}MiB\n  probes: {{key: id}}\n",
        ),
        ("\ntables:\n", "\ntables:\n  app.probes: {primary_key: id, from: SELECT * FROM probes}\n"),
    ]:
        if old not in text:
            raise Failed(f"{EXAMPLE} has no {old!r} any more: see bench/soak.py")
        text = text.replace(old, new, 1)
    pathlib.Path("soak.yaml").write_text(text)
    pathlib.Path("probe.schema.json").write_text(json.dumps(PROBE_SCHEMA))
    return "soak.yaml"


def newest_probe(millrace):
    status, answer = millrace.ask("POST", "/v1/sql", '{"sql":"SELECT made_ns FROM app.probes"}')
    return answer["rows"][0][0] if status == 200 and answer["rows"] else None


def probe_latency_ms(millrace):
    """Waits for the next probe; how old it is when a query has seen it."""
    before = newest_probe(millrace)
    made = millrace.wait_for(
        "the next probe", lambda: (n := newest_probe(millrace)) != before and n, 0.002
    )
    return (time.monotonic_ns() - made) / 1e6


def sample(millrace, began):
    latency = probe_latency_ms(millrace)
    _, status = millrace.ask("GET", "/v1/status")
    table = next(t for t in status["tables"] if t["name"] != "app.probes")
    if not all(t["balanced"] for t in status["tables"]):
        raise Failed(f"the sum is not right: {status['tables']}")
    topic = next(t for t in status["topics"] if t["name"] == table["topic"])
    return {
        "seconds": time.monotonic() - began,
        "resident memory, MB": millrace.memory_mb("VmRSS"),
        "descriptors": len(os.listdir(f"/proc/{millrace.process.pid}/fd")),
        "threads": len(os.listdir(f"/proc/{millrace.process.pid}/task")),
        "latency, ms": latency,
        "records waiting": table["waiting"],
        "topic, MB": topic["bytes"] / 1e6,
        "record, MB": topic["bytes"] / max(1, topic["records"]) / 1e6,
        "records in": table["records_in"],
        "written": table["written"],
    }


class Line:
    """A least-squares line through the values, by seconds."""

    def __init__(self, seconds, values):
        mean_x, self.mean = statistics.fmean(seconds), statistics.fmean(values)
        spread = sum((x - mean_x) ** 2 for x in seconds)
        pairs = list(zip(seconds, values))
        self.slope = sum((x - mean_x) * (y - self.mean) for x, y in pairs) / spread
        at = self.mean - self.slope * mean_x
        residual = sum((y - at - self.slope * x) ** 2 for x, y in pairs)
        self.slope_error = math.sqrt(residual / max(1, len(pairs) - 2) / spread)
        self.growth = self.slope * (seconds[-1] - seconds[0])

    def is_flat(self):
        is_chance = self.slope < 3 * self.slope_error
        return is_chance or self.growth <= GROWTH_MAX * abs(self.mean)


def picture(values, width=40):
    """The values as a row of bars, each the mean of a part of the run."""
    bars = " ▁▂▃▄▅▆▇█"
    top = max(values) or 1
    ends = [len(values) * i // width for i in range(width + 1)]
    parts = [values[begin:end] for begin, end in zip(ends, ends[1:]) if begin < end]
    return "".join(bars[round(statistics.fmean(p) / top * (len(bars) - 1))] for p in parts)


def topic_mb_max(samples):
    """Retention, the segment in which it ends and the newest, and what comes between two looks."""
    rate = max(
        (after["records in"] - before["records in"]) / (after["seconds"] - before["seconds"])
        for before, after in zip(samples, samples[1:])
    )
    record = max(one["record, MB"] for one in samples)
    kept = (RETENTION_MIB + 2 * SEGMENT_MIB) * (1 << 20) / 1e6
    return kept + RETENTION_EVERY_S * rate * record


def report(samples):
    """Prints the figures; whether all are flat, and the topic within its bound."""
    kept = samples[int(len(samples) * WARM_UP) :]
    seconds = [one["seconds"] for one in kept]
    minutes = (seconds[-1] - seconds[0]) / 60
    rate = (kept[-1]["written"] - kept[0]["written"]) / (seconds[-1] - seconds[0])
    print(f"{samples[-1]['written']:,} records, {rate:,.0f}/s; the last {minutes:.1f} minutes:")
    all_flat = True
    for name in FITTED:
        line = Line(seconds, [one[name] for one in kept])
        all_flat &= line.is_flat()
        growth = line.growth / (line.mean or 1)
        print(
            f"  {name:20} mean {line.mean:8.1f}  slope {line.slope * 60:+8.3f} ± "
            f"{line.slope_error * 60:.3f} a minute  over the run {growth:+6.1%}  "
            f"{'flat' if line.is_flat() else 'GROWS'}"
        )
    for name in ["resident memory, MB", "latency, ms", "topic, MB", "records waiting"]:
        values = [one[name] for one in samples]
        print(f"  {name:20} |{picture(values)}|  at most {max(values):,.1f}")
    largest, bound = max(one["topic, MB"] for one in samples), topic_mb_max(samples)
    is_kept = largest <= bound
    words = "" if is_kept else ": TOO LARGE"
    print(f"  {'retention':20} {largest:,.0f} MB of at most {bound:,.0f}{words}")
    return all_flat and is_kept


def soak(place, minutes):
    variables = {}
    with TestApi("--distinct", DISTINCT_PAGES) as api, TestApi() as probe_api:
        variables["RANDOMUSER_URL"] = api.url(USERS_A_PAGE)
        variables["PROBE_URL"] = f"http://127.0.0.1:{probe_api.port}/probe"
        pipeline = soak_pipeline()
        with Millrace(place, pipeline, place.new_data_dir(), variables=variables) as millrace:
            millrace.wait_for("a probe", lambda: newest_probe(millrace), 0.05)
            began = time.monotonic()
            samples = []
            while (passed := time.monotonic() - began) < minutes * 60:
                millrace.started = time.monotonic()  # each wait has its own deadline
                samples.append(sample(millrace, began))
                if sys.stderr.isatty():
                    print(f"\r{passed:5.0f} s  {samples[-1]}", end="", file=sys.stderr)
    return samples


def main():
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    build = SOURCE_TREE / "build/release"
    parser.add_argument("--build", type=pathlib.Path, default=build, help="where the binary is")
    given = parser.parse_args()
    place = Place(given.build.resolve())
    work = tempfile.mkdtemp(prefix="soak-", dir=place.build.parent)
    os.chdir(work)
    try:
        samples = soak(place, given.minutes)
    finally:
        os.chdir("/")
        shutil.rmtree(work, ignore_errors=True)
    return 0 if report(samples) else 1


if __name__ == "__main__":
    sys.exit(main())
