#!/usr/bin/env python3
"""Does pagemill keep every crawl thread busy when a site is slow?

A loopback server answers each request 200 ms late. With J threads, J / 0.2 pages per second are the ideal; the product
promises 90 % of it up to 512 threads. For each J, about ten seconds' worth of pages are crawled. A raw client shows
first what the server itself gives on this machine. Run by hand; it needs nothing but Python and a release build.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import pagemill
from harness.child import end_on_sigterm, run_measured, stop
from harness.records import read_records

HERE = Path(__file__).resolve().parent
RAW_CONNECTIONS = 600
RAW_SECONDS = 4
MEGABYTE = 1_000_000


def main() -> int:
    options = read_arguments()
    end_on_sigterm()
    if missing := pagemill.what_is_missing(options):
        print(missing, file=sys.stderr)
        return 2
    latency = options.latency_ms / 1000
    with slow_server(latency) as (pid, port), tempfile.TemporaryDirectory(prefix="pagemill-latency-") as name:
        print_server_alone(port, latency)
        print("| -j | pages | wall | pages/s | ideal | ratio | CPU/page | server CPU/page | peak memory |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        ratios = [print_crawl(options, jobs, pid, port, Path(name)) for jobs in options.jobs]
    slow = [jobs for jobs, ratio in zip(options.jobs, ratios, strict=True) if ratio < options.require]
    if slow:
        print(f"\nBELOW {options.require:.0%} of the ideal with -j {', '.join(map(str, slow))}.")
    return 1 if slow else 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    pagemill.add_options(parser)
    parser.add_argument(
        "--jobs",
        type=lambda text: [int(jobs) for jobs in text.split(",")],
        metavar="J,J",
        default=[16, 64, 128, 256, 512],
        help="numbers of threads (default: 16,64,128,256,512)",
    )
    parser.add_argument("--latency-ms", type=float, default=200, help="of the server (default: 200)")
    parser.add_argument("--seconds", type=float, default=10, help="an ideal run's length (default: 10)")
    parser.add_argument(
        "--require",
        type=float,
        default=0.9,
        metavar="RATIO",
        help="exit with status 1 below this part of the ideal (default: 0.9)",
    )
    return parser.parse_args()


@contextlib.contextmanager
def slow_server(latency: float) -> Iterator[tuple[int, int]]:
    """The server's pid and port."""
    command = [sys.executable, str(HERE / "harness/slow_server.py"), str(latency)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline()
        if not port:
            raise SystemExit("the slow server did not start")
        yield server.pid, int(port)
    finally:
        stop(server)
        server.stdout.close()


def print_server_alone(port: int, latency: float) -> None:
    command = [sys.executable, str(HERE / "harness/raw_client.py"), str(port), str(RAW_CONNECTIONS), str(RAW_SECONDS)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=RAW_SECONDS + 30, check=True).stdout
    rate, middle, late = (float(word) for word in said.split())
    print(
        f"Raw client, {RAW_CONNECTIONS} connections: {rate:.0f} answers/s of {RAW_CONNECTIONS / latency:.0f} ideal; "
        f"time to an answer: median {middle * 1000:.1f} ms, 99th percentile {late * 1000:.1f} ms\n"
    )


def print_crawl(options: argparse.Namespace, jobs: int, server_pid: int, port: int, work: Path) -> float:
    """Crawls with `jobs` threads and prints a line of the table; gives the ratio to the ideal."""
    ideal = jobs / (options.latency_ms / 1000)
    pages = max(1, round(ideal * options.seconds))
    out, log = work / "out.jsonl", work / "log"
    url = f"http://127.0.0.1:{port}/{{page}}"
    # One host is asked here on purpose by more than its share, and at once.
    own_pace = ["--per-host", str(jobs), "--throttle", "off", "--no-robots"]
    command = [*pagemill.crawl_of_links(options, url, pages, out), "-j", str(jobs), *own_pace]
    server_before = cpu_seconds(server_pid)
    usage = run_measured(command, options.seconds * 6 + 30, log)
    server_cpu = cpu_seconds(server_pid) - server_before
    if usage.fault:
        raise SystemExit(f"pagemill -j {jobs}: {usage.fault}\n{log.read_text(errors='replace')[-2000:]}")
    # Each page has one link.
    if (count := read_records(out).count) != pages:
        raise SystemExit(f"pagemill -j {jobs}: {count} records from {pages} pages of one link each")
    rate = pages / usage.wall_seconds
    print(
        f"| {jobs} | {pages} | {usage.wall_seconds:.2f} s | {rate:.0f} | {ideal:.0f} | {rate / ideal:.1%} "
        f"| {usage.cpu_seconds / pages * 1e6:.0f} µs | {server_cpu / pages * 1e6:.0f} µs "
        f"| {usage.peak_bytes / MEGABYTE:.0f} MB |",
        flush=True,
    )
    out.unlink()
    return rate / ideal


def cpu_seconds(pid: int) -> float:
    """Time on a core so far, of a process with one thread; finer than the ticks of /proc/PID/stat."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    sys.exit(main())
