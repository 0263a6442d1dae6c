#!/usr/bin/env python3
"""How long does `pagemill --version` take, from start to end?

Prints the median wall time over 30 runs, after three that do not count, and that of `/bin/true` beside it: what
starting any process costs on this machine. Run by hand; it needs a release build.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from harness import pagemill

WARM_UP_RUNS = 3
LIMIT_SECONDS = 10


def main() -> int:
    options = read_arguments()
    if missing := pagemill.what_is_missing(options):
        print(missing, file=sys.stderr)
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
    pagemill.add_options(parser)
    parser.add_argument("--runs", type=int, default=30, metavar="N", help="default: 30")
    return parser.parse_args()


def seconds_of(command: list[str]) -> float:
    """Wall time of one run; `run` ends the child by its pid if it passes the limit."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, timeout=LIMIT_SECONDS, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
