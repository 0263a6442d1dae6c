#!/usr/bin/env python3
"""How much of a fragile server do pagemill and Scrapy use, and how often are they refused?

A loopback server bears 20 requests per second; beyond that it refuses and slows down. pagemill crawls it with its
defaults, Scrapy with its own and AutoThrottle, one after the other, each on a server of its own. The server counts;
nobody is asked how it went. Run by hand; a run takes as long as the pages take, about 80 s, and at most the limit.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import pagemill  # noqa: E402
from harness.child import Usage, end_on_sigterm, run_measured, stop  # noqa: E402
from harness.records import read_records  # noqa: E402

PEERS = ("pagemill", "scrapy")
TITLES = {"pagemill": "pagemill", "scrapy": "Scrapy, AutoThrottle"}
GOAL_SHARE = 0.9
GOAL_REFUSED = 0.01


@dataclass(frozen=True)
class Crawl:
    """One crawl, as the server saw it."""

    usage: Usage
    answered: int
    refused: int
    pages: int
    """How many of the pages it answered at least once."""
    seconds: float
    """From the first request to the last good answer."""
    records: int


def main() -> int:
    options = read_arguments()
    end_on_sigterm()
    if "pagemill" in options.peers and (missing := pagemill.what_is_missing(options)):
        print(missing, file=sys.stderr)
        return 2
    wait = f"Retry-After: {options.retry_after}" if options.retry_after else "no Retry-After"
    print(
        f"{options.capacity:g} requests/s, burst {options.burst:g}, {options.latency_ms:g} ms and more under load, "
        f"{options.status} with {wait}; {options.pages} pages\n"
    )
    print("| | share of capacity | refused | pages got | seconds | records | ended |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |", flush=True)
    crawls = {peer: print_crawl(peer, options) for peer in options.peers}
    ours = crawls.get("pagemill")
    return 0 if ours is None or reached_the_goals(ours, options) else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    pagemill.add_options(parser)
    parser.add_argument(
        "--peers",
        type=lambda text: text.split(","),
        default=list(PEERS),
        metavar="A,B",
        help=f"which of {','.join(PEERS)} to run (default: all)",
    )
    parser.add_argument("--venv", type=Path, metavar="DIR", help="where Scrapy is installed; needed for it")
    parser.add_argument("--pages", type=int, default=1500, metavar="N", help="URLs per crawl (default: 1500)")
    parser.add_argument("--capacity", type=float, default=20, help="requests per second it bears (default: 20)")
    parser.add_argument("--burst", type=float, default=5, help="requests it takes at once (default: 5)")
    parser.add_argument("--latency-ms", type=float, default=50, help="of an answer without load (default: 50)")
    parser.add_argument("--status", type=int, choices=(429, 503), default=429, help="of a refusal (default: 429)")
    parser.add_argument("--retry-after", type=int, default=1, help="in seconds; 0 leaves it out (default: 1)")
    parser.add_argument("--limit-seconds", type=float, default=150, help="for each single run (default: 150)")
    parser.add_argument("--log", type=Path, metavar="DIR", help="keep the server's log of each run here")
    options = parser.parse_args()
    if not options.peers or set(options.peers) - set(PEERS):
        parser.error(f"--peers takes some of {','.join(PEERS)}")
    if "scrapy" in options.peers and not (options.venv and (options.venv / "bin/python").exists()):
        parser.error(
            "--venv names a folder with Scrapy (run.py --venv DIR makes one), or leave it with --peers pagemill"
        )
    if min(options.pages, options.capacity, options.burst) < 1:
        parser.error("--pages, --capacity and --burst must be at least 1")
    return options


def print_crawl(peer: str, options: argparse.Namespace) -> Crawl:
    with tempfile.TemporaryDirectory(prefix="pagemill-fragile-") as name:
        work = Path(name)
        if options.log:
            options.log.mkdir(parents=True, exist_ok=True)
        log = (options.log or work) / f"{peer}.log"
        out, said = work / "out.jsonl", work / "said"
        with fragile_server(options, log) as base:
            usage = run_measured(command_of(peer, options, f"{base}/{{page}}", out), options.limit_seconds, said)
            with urllib.request.urlopen(f"{base}/stats", timeout=10) as stats:
                counts = json.load(stats)
        crawl = Crawl(usage=usage, records=read_records(out).count, **counts)
        if not crawl.answered:
            raise SystemExit(f"{TITLES[peer]}: no page\n{said.read_text(errors='replace')[-2000:]}")
    print(
        f"| {TITLES[peer]} | {share(crawl, options):.1%} | {refused(crawl):.2%} ({crawl.refused}) "
        f"| {crawl.pages} of {options.pages} | {crawl.seconds:.1f} | {crawl.records} | {usage.fault or 'well'} |",
        flush=True,
    )
    return crawl


@contextlib.contextmanager
def fragile_server(options: argparse.Namespace, log: Path) -> Iterator[str]:
    """Where the server listens, without a final slash."""
    numbers = [options.capacity, options.burst, options.latency_ms / 1000, options.status, options.retry_after]
    command = [sys.executable, str(HERE.parent / "harness/fragile_server.py"), *map(str, numbers), str(log)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline()
        if not port:
            raise SystemExit("the fragile server did not start")
        yield f"http://127.0.0.1:{int(port)}"
    finally:
        stop(server)
        server.stdout.close()


def command_of(peer: str, options: argparse.Namespace, url: str, out: Path) -> list[str]:
    if peer == "pagemill":
        return pagemill.crawl_of_links(options, url, options.pages, out)
    return [str(options.venv / "bin/python"), str(HERE / "scrapy_autothrottle.py"), url, str(options.pages), str(out)]


def share(crawl: Crawl, options: argparse.Namespace) -> float:
    return crawl.answered / crawl.seconds / options.capacity if crawl.seconds else 0.0


def refused(crawl: Crawl) -> float:
    return crawl.refused / (crawl.answered + crawl.refused)


def reached_the_goals(crawl: Crawl, options: argparse.Namespace) -> bool:
    if crawl.usage.fault or crawl.pages < options.pages:
        print(f"\npagemill did not get all pages: {crawl.usage.fault or 'see its records'}")
        return False
    if share(crawl, options) < GOAL_SHARE or refused(crawl) >= GOAL_REFUSED:
        print(f"\nGOAL MISSED: at least {GOAL_SHARE:.0%} of the capacity and under {GOAL_REFUSED:.0%} refused.")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
