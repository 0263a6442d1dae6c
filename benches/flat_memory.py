#!/usr/bin/env python3
"""Does pagemill's memory stay flat over a long crawl?

nginx on loopback serves one page of 4 KB under 100,000 URLs; pagemill crawls them, and its resident memory is read
every 0.2 s. Printed are ten points of the curve, evenly spaced in time (how many pages are done is not known from
outside), and the peak. With --many-hosts each page has a host of its own, all of them names of this machine, with a
robots.txt to be asked for first. Run by hand; it needs nginx and a release build.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from harness import nginx, pagemill
from harness.child import Usage, end_on_sigterm, run_measured
from harness.pages import made_page

HERE = Path(__file__).resolve().parent
PAGE_BYTES = 4096
LINKS = 10
SAMPLE_SECONDS = 0.2
POINTS = 10
MEGABYTE = 1_000_000


def main() -> int:
    options = read_arguments()
    end_on_sigterm()
    if nginx.program() is None:
        return refuse(nginx.HOW_TO_INSTALL)
    if missing := pagemill.what_is_missing(options):
        return refuse(missing)
    page = made_page(LINKS, PAGE_BYTES)
    with tempfile.TemporaryDirectory(prefix="pagemill-memory-") as name:
        work = Path(name)
        out, log = work / "out.jsonl", work / "log"
        with nginx.serving(work, {"page.html": page}) as base:
            url = f"{base}/page.html?n={{page}}"
            names = []
            if options.many_hosts:
                port = urlsplit(base).port
                url = f"http://h{{page}}.test:{port}/page.html"
                names = ["--resolve", f"*:{port}:127.0.0.1"]
            command = [*pagemill.crawl_of_links(options, url, options.pages, out), *names]
            usage = run_measured(command, options.limit_seconds, log, SAMPLE_SECONDS)
        if usage.fault:
            raise SystemExit(f"pagemill: {usage.fault}\n{log.read_text(errors='replace')[-2000:]}")
        records = count_lines(out)
    print_curve(options.pages, len(page), usage)
    if records != options.pages * LINKS:
        print(f"\nWRONG: {records} records, expected {options.pages * LINKS}.")
        return 1
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100_000, metavar="N", help="default: 100000")
    parser.add_argument("--many-hosts", action="store_true", help="a host for each page")
    pagemill.add_options(parser)
    parser.add_argument("--limit-seconds", type=float, default=600, help="default: 600")
    return parser.parse_args()


def refuse(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 2


def count_lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


def print_curve(pages: int, page_bytes: int, usage: Usage) -> None:
    print(
        f"{pages} pages of {page_bytes} bytes in {usage.wall_seconds:.1f} s "
        f"({pages / usage.wall_seconds:.0f} pages/s), {len(usage.resident)} samples\n"
    )
    if len(usage.resident) < POINTS:
        print("The run was too short for a curve: raise --pages.")
    else:
        points = tenths(usage)
        print("| time | resident |\n| ---: | ---: |")
        for moment, resident in points:
            print(f"| {moment:.1f} s | {resident / MEGABYTE:.1f} MB |")
        # The first tenths are the start: threads, connections and buffers grow to their full size.
        grown = median(size for _, size in points[-3:]) / median(size for _, size in points[2:5])
        print(f"\nThe last three points are {grown:.2f} times the third to fifth (1.00 is flat).")
    print(f"Peak: {usage.peak_bytes / MEGABYTE:.1f} MB")


def tenths(usage: Usage) -> list[tuple[float, int]]:
    """The sample nearest to the end of each tenth of the run."""
    wanted = [usage.wall_seconds * tenth / POINTS for tenth in range(1, POINTS + 1)]
    return [min(usage.resident, key=lambda sample: abs(sample[0] - moment)) for moment in wanted]


if __name__ == "__main__":
    sys.exit(main())
