#!/usr/bin/env python3
"""How soon does a crawl of millions of URLs go on after it was cut off?

nginx on loopback serves one page that leads to listings, which lead to items: ten million by default. The crawl is
killed when all listings are done and the items are pending, and started again; measured is the time from that start to
the first new line in the output, and the memory at that moment. Run by hand; it needs nginx, a release build, and 3 GB
on the disk.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import nginx, pagemill
from harness.child import end_on_sigterm, stop

LINKS_OF_LISTING = 10_000
MEGABYTE = 1_000_000


def main() -> int:
    options = read_arguments()
    end_on_sigterm()
    if nginx.program() is None:
        return refuse(nginx.HOW_TO_INSTALL)
    if missing := pagemill.what_is_missing(options):
        return refuse(missing)
    listings = options.urls // LINKS_OF_LISTING
    with tempfile.TemporaryDirectory(prefix="pagemill-resume-", dir=options.folder) as name:
        work = Path(name)
        with nginx.serving(work, site(listings)) as base:
            out = work / "out.jsonl"
            command = [str(options.pagemill), "crawl", f"{base}/start.html", "-f", "title=//h1", "--follow", "//a"]
            command += ["-o", str(out), "-q", "--throttle", "off", "--max-per-shape", "1000000000"]
            command += options.pagemill_arg
            with (work / "log").open("wb") as log:
                print(f"found in     {grown(command, out, 1 + listings, log, options)[0]:8.2f} s")
                state = Path(f"{out}.pagemill")
                size = sum(file.stat().st_size for file in state.rglob("*") if file.is_file())
                print(f"state        {size / MEGABYTE:8.1f} MB for {listings * LINKS_OF_LISTING} URLs")
                for _ in range(options.rounds):
                    seconds, resident = grown(command, out, count_lines(out) + 1, log, options)
                    print(f"goes on in   {seconds:8.2f} s, with {resident / MEGABYTE:.0f} MB")
    return 0


def site(listings: int) -> dict[str, bytes]:
    """The start, its listings, and one item, which stands for all of them."""

    def page(title: str, links: list[str]) -> bytes:
        return f"<h1>{title}</h1>{''.join(f'<a href={link}>x</a>' for link in links)}".encode()

    pages = {"start.html": page("Start", [f"/l{number}.html" for number in range(listings)])}
    for number in range(listings):
        first = number * LINKS_OF_LISTING
        items = [f"/item.html?n={item}" for item in range(first, first + LINKS_OF_LISTING)]
        pages[f"l{number}.html"] = page(f"Listing {number}", items)
    pages["item.html"] = page("Item", [])
    return pages


def grown(command: list[str], out: Path, lines: int, log, options: argparse.Namespace) -> tuple[float, int]:
    """Starts a crawl, kills it when its output has so many lines, and tells how long that took and its memory then."""
    started = time.perf_counter()
    crawl = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        while count_lines(out) < lines:
            if crawl.poll() is not None or time.perf_counter() - started > options.limit_seconds:
                raise SystemExit(f"the crawl ended early: {crawl.poll()}")
            time.sleep(0.01)
        seconds = time.perf_counter() - started
        # A commit says what the output says, a moment later.
        time.sleep(1)
        status = Path(f"/proc/{crawl.pid}/status").read_text()
        resident = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
        crawl.kill()
        crawl.wait()
    finally:
        stop(crawl)
    return seconds, resident


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=10_000_000, help="default: ten million")
    parser.add_argument("--rounds", type=int, default=3, help="how often it is killed and goes on; default: 3")
    parser.add_argument("--limit-seconds", type=float, default=600.0, help="for one run; default: 600")
    parser.add_argument("--folder", type=Path, help="where everything is written; default: the system's temporary one")
    pagemill.add_options(parser)
    return parser.parse_args()


def refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
