#!/usr/bin/env python3
"""How long does `pagemill --version` take, from start to end?

Prints the median wall time over 30 runs, after three that do not count, and that of `/bin/true` beside it: what starting
any process costs on this machine. Run by hand; it needs a release build.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
WARM_UP_RUNS = 3
LIMIT_SECONDS = 10


def main() -> int:
    options = read_arguments()
    if not os.access(options.pagemill, os.X_OK):
        print(f"no program at {options.pagemill}: run `cargo build --release`, or name one with --pagemill",
              file=sys.stderr)
        return 2
    print("| command | median | fastest | slowest |\n| --- | ---: | ---: | ---: |")
    for command in (["/bin/true"], [str(options.pagemill), "--version"]):
        try:
            times = [seconds_of(command) for _ in range(WARM_UP_RUNS + options.runs)][WARM_UP_RUNS:]
        except subprocess.SubprocessError as error:
            raise SystemExit(str(error)) from error
        shown = " | ".join(f"{t * 1000:.2f} ms" for t in (median(times), min(times), max(times)))
        print(f"| `{' '.join([Path(command[0]).name, *command[1:]])}` | {shown} |")
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pagemill", type=Path, default=HERE.parent / "target/release/pagemill", metavar="PATH")
    parser.add_argument("--runs", type=int, default=30, metavar="N", help="default: 30")
    return parser.parse_args()


def seconds_of(command: list[str]) -> float:
    """Wall time of one run; `run` ends the child by its pid if it passes the limit."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, timeout=LIMIT_SECONDS, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
