#!/usr/bin/env python3
"""What does it cost to keep a state?

The same crawl with its state beside the output and with --no-state, in turns, over pages that nginx serves on loopback:
pages of a range, and pages that are found by links. Printed are the medians of time, processor time and memory, and
their ratios. Run by hand; it needs nginx and a release build.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from harness import nginx, pagemill
from harness.child import Usage, end_on_sigterm, run_measured
from harness.pages import made_page

PAGE_BYTES = 4096
LINKS = 10
MEGABYTE = 1_000_000


def main() -> int:
    options = read_arguments()
    end_on_sigterm()
    if nginx.program() is None:
        return refuse(nginx.HOW_TO_INSTALL)
    if missing := pagemill.what_is_missing(options):
        return refuse(missing)
    with tempfile.TemporaryDirectory(prefix="pagemill-state-", dir=options.folder) as name:
        work = Path(name)
        linked = linked_pages(options.linked_pages, options.linked_page_bytes)
        site = {"page.html": made_page(LINKS, PAGE_BYTES), **linked}
        with nginx.serving(work, site) as base:
            for title, pages, crawl in [
                ("range", options.pages, range_crawl(options, base)),
                ("links", options.linked_pages, link_crawl(options, base)),
            ]:
                compare(title, pages, crawl, work, options)
    return 0


def linked_pages(count: int, size: int) -> dict[str, bytes]:
    """A tree of pages with two ways down, and one back: found one from the other, as on any site."""
    pages = {}
    for number in range(count):
        below = [below for below in (2 * number + 1, 2 * number + 2) if below < count]
        links = "".join(f'<li><a href="/{to}.html">Number {to}</a></li>' for to in [*below, number // 2])
        page = f"<html><h1>Page {number}</h1><ul>{links}</ul>".encode()
        words = b"<p>Some words of a page as there are many.</p>\n"
        pages[f"{number}.html"] = page + words * max(0, (size - len(page)) // len(words))
    return pages


def range_crawl(options: argparse.Namespace, base: str) -> list[str]:
    rules = ["-e", "//a", "-f", "href=./@href", "-f", "text=./text()"]
    return [str(options.pagemill), "crawl", f"{base}/page.html?n={{page}}", "-p", f"1-{options.pages}", *rules]


def link_crawl(options: argparse.Namespace, base: str) -> list[str]:
    return [str(options.pagemill), "crawl", f"{base}/0.html", "-f", "title=//h1", "--follow", "//a"]


def compare(title: str, pages: int, crawl: list[str], work: Path, options: argparse.Namespace) -> None:
    out, log = work / "out.jsonl", work / "log"
    used: dict[str, list[Usage]] = {"with": [], "without": []}
    expected = None
    for _ in range(options.rounds):
        for way, flags in [("with", []), ("without", ["--no-state"])]:
            shutil.rmtree(f"{out}.pagemill", ignore_errors=True)
            command = [*crawl, "-O", str(out), "-q", "--throttle", "off", *flags, *options.pagemill_arg]
            usage = run_measured(command, options.limit_seconds, log, 0.05)
            if usage.fault:
                raise SystemExit(f"pagemill: {usage.fault}\n{log.read_text(errors='replace')[-2000:]}")
            records = count_lines(out)
            if records != (expected := expected or records):
                raise SystemExit(f"WRONG: {records} records, expected {expected}")
            used[way].append(usage)
    with_state, without = (
        {
            "pages/s": pages / median(usage.wall_seconds for usage in usages),
            "CPU s": median(usage.cpu_seconds for usage in usages),
            "MB": median(usage.peak_bytes for usage in usages) / MEGABYTE,
        }
        for usages in (used["with"], used["without"])
    )
    print(f"{title}: {pages} pages, {expected} records, {options.rounds} rounds")
    for what, value in with_state.items():
        print(f"  {what:8} {value:10.2f} with, {without[what]:10.2f} without: {value / without[what]:6.1%}")


def count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=40_000, help="pages of the range; default: 40000")
    parser.add_argument("--linked-pages", type=int, default=20_000, help="pages found by links; default: 20000")
    parser.add_argument("--linked-page-bytes", type=int, default=PAGE_BYTES, help="their size; default: 4096")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each way; default: 5")
    parser.add_argument("--limit-seconds", type=float, default=120.0, help="for one run; default: 120")
    parser.add_argument("--folder", type=Path, help="where everything is written; default: the system's temporary one")
    pagemill.add_options(parser)
    return parser.parse_args()


def refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
