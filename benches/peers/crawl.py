#!/usr/bin/env python3
"""A whole site by its links: pagemill and Scrapy's CrawlSpider beside each other.

The site is `pagemill demo --serve`: 1,000 books, 50 listings, eight shelves. Both begin at the front page, follow every
link within the host, obey robots.txt, and write the URL and the title of each page. The sets of URLs must be the same,
and pagemill must not have a page twice. Scrapy may: a spider's first request passes its filter, and the front page is
linked too. Run by hand; the peers take turns.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import pagemill
from harness.child import Usage, end_on_sigterm, run_measured, stop

LIMIT_SECONDS = 300.0
MEGABYTE = 1_000_000


def main() -> int:
    options = read_arguments()
    end_on_sigterm()
    if missing := pagemill.what_is_missing(options):
        print(missing, file=sys.stderr)
        return 2
    site = subprocess.Popen(
        [str(options.pagemill), "demo", "--serve"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        return compare(options, base_of(site))
    finally:
        stop(site)


def base_of(site: subprocess.Popen) -> str:
    assert site.stderr is not None
    for line in site.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise SystemExit("the demo did not say where it is")


def compare(options: argparse.Namespace, base: str) -> int:
    load = os.getloadavg()[0]
    usages: dict[str, list[Usage]] = {"pagemill": [], "Scrapy": []}
    found: dict[str, set[str]] = {}
    twice: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="pagemill-crawl-") as name:
        work = Path(name)
        for _ in range(options.rounds):
            for peer, list_of in usages.items():
                out, log = work / f"{peer}.jsonl", work / f"{peer}.log"
                usage = run_measured(command_of(peer, options, f"{base}/", out), LIMIT_SECONDS, log)
                if usage.timed_out or usage.exit_status != 0:
                    raise SystemExit(f"{peer}: {usage.fault}\n{log.read_text(errors='replace')[-2000:]}")
                with out.open(encoding="utf-8") as lines:
                    urls = [json.loads(line)["url"] for line in lines]
                found[peer] = set(urls)
                twice[peer] = len(urls) - len(found[peer])
                list_of.append(usage)
    print(f"load average before the start: {load:.2f}; medians of {options.rounds} rounds\n")
    print("| | wall | fastest to slowest | CPU | peak memory | pages | twice |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for peer, list_of in usages.items():
        walls = [usage.wall_seconds for usage in list_of]
        cpu = median(usage.cpu_seconds for usage in list_of)
        peak = median(usage.peak_bytes for usage in list_of) / MEGABYTE
        spread = f"{min(walls):.2f} to {max(walls):.2f} s"
        counts = f"{len(found[peer])} | {twice[peer]}"
        print(f"| {peer} | {median(walls):.2f} s | {spread} | {cpu:.2f} s | {peak:.0f} MB | {counts} |")
    only = {
        peer: sorted(found[peer] - found[other]) for peer, other in [("pagemill", "Scrapy"), ("Scrapy", "pagemill")]
    }
    for peer, urls in only.items():
        if urls:
            print(f"\nonly {peer}: {len(urls)}, as {urls[:5]}")
    return 1 if any(only.values()) or twice["pagemill"] else 0


def command_of(peer: str, options: argparse.Namespace, url: str, out: Path) -> list[str]:
    if peer == "Scrapy":
        return [str(options.venv / "bin/python"), str(HERE / "scrapy_crawl.py"), url, str(out)]
    job = out.with_suffix(".toml")
    job.write_text("[extract.page]\nfields.url = { meta = 'url' }\nfields.title = '//title/text()'\nfollow = ['//a']\n")
    return [str(options.pagemill), "crawl", "-c", str(job), url, "-O", str(out), "-q", *options.pagemill_arg]


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--venv", type=Path, required=True, metavar="DIR", help="where Scrapy is installed (see run.py)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: 3")
    pagemill.add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
