"""Runs the fuzzers (src/ROOM/x_fuzz.cc) from their saved seeds, which every ./dev test runs too."""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

INPUT_BYTES_MAX = 4096
SEEDS_MAX = 300  # kept of one fuzzer: what the others add is small


def arguments():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("fuzzers", nargs="*", help="names, as json_decoder_fuzz; without: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each (60)")
    parser.add_argument(
        "--save", action="store_true", help="write what reached new code into the seeds in src/"
    )
    parser.add_argument(
        "--add", type=pathlib.Path, metavar="FILE", help="first add this input to the one fuzzer"
    )
    return parser.parse_args()


def known_fuzzers(folder):
    lines = (folder / "fuzzers").read_text().split("\n")
    return {name: pathlib.Path(seeds) for name, seeds in map(str.split, filter(None, lines))}


def read_seeds(path):
    if not path.exists():
        return []
    return [bytes.fromhex(line) for line in path.read_text().splitlines()]


def write_seeds(path, seeds):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(seed.hex() + "\n" for seed in sorted(seeds, key=lambda s: (len(s), s))))


def run(fuzzer, corpus, *options):
    """The exit status; the fuzzer's own files go to a folder that is removed."""
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**os.environ, "TMPDIR": temporary, "UBSAN_OPTIONS": "print_stacktrace=1"}
        command = [str(fuzzer), *map(str, corpus), f"-max_len={INPUT_BYTES_MAX}", *options]
        return subprocess.run(command, env=environment).returncode


def fill(folder, seeds):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for i, seed in enumerate(seeds):
        (folder / f"{i:04}").write_bytes(seed)


def fuzz(args, name, seeds_file):
    """True: nothing found."""
    seeds = read_seeds(seeds_file)
    if args.add:
        seeds.append(args.add.read_bytes())
        write_seeds(seeds_file, set(seeds))
    corpus = args.folder / "corpus" / name
    found = args.folder / "found" / name
    fill(corpus, seeds or [b"\0"])
    found.mkdir(parents=True, exist_ok=True)
    status = run(
        args.folder / name,
        [corpus],
        f"-max_total_time={args.seconds}",
        "-timeout=10",
        "-print_final_stats=1",
        "-verbosity=1",
        f"-artifact_prefix={found}/",
    )
    if status != 0:
        print(
            f"{name}: failed; the input is in {found}/. To mend it:\n"
            f"  {args.folder / name} INPUT                    runs it again\n"
            f"  ./dev fuzz {name} --add INPUT   keeps it for every ./dev test",
            file=sys.stderr,
        )
        return False
    if args.save:
        merged = args.folder / "merged" / name
        fill(merged, [])
        run(args.folder / name, [merged, corpus], "-merge=1", "-verbosity=0")
        kept = sorted((file.read_bytes() for file in merged.iterdir()), key=len)[:SEEDS_MAX]
        write_seeds(seeds_file, set(kept))
    return True


def main():
    args = arguments()
    fuzzers = known_fuzzers(args.folder)
    names = args.fuzzers or list(fuzzers)
    unknown = [name for name in names if name not in fuzzers]
    if unknown or (args.add and len(names) != 1):
        print(f"dev: name one of the fuzzers {', '.join(fuzzers)}", file=sys.stderr)
        return 2
    built = subprocess.run([*shlex.split(args.build), *names])
    if built.returncode != 0:
        return built.returncode
    failed = [name for name in names if not fuzz(args, name, fuzzers[name])]
    for name in names:
        print(f"{name}: {'FAILED' if name in failed else 'nothing found'} in {args.seconds} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
