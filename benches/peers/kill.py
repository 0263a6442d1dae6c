"""Kills a crawl by `kill -9` at a random moment, gives the same command again, and counts what is lost and what is twice.

The site is a tree of pages of our own with a line each, and links that lead back. Beside pagemill: Scrapy with JOBDIR.
The moment is when the server has answered a random number of pages, the same numbers for both. Exits with 1 if pagemill
lost a line or wrote one twice.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGES = 400
LATENCY_SECONDS = 0.02
LONGEST_RUN_SECONDS = 60


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        page = int(self.path[1:] or 0)
        time.sleep(LATENCY_SECONDS)
        # Not to the first page: Scrapy asks for that twice, killed or not.
        links = [n for n in (page * 3 + 1, page * 3 + 2, page * 3 + 3, page // 3) if 0 < n < PAGES]
        anchors = "".join(f"<a href='/{n}'>{n}</a>" for n in links)
        body = f"<html><body><h1>Page {page}</h1>{anchors}</body></html>".encode()
        with self.server.lock:
            self.server.answered += 1
        try:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            # It was killed.
            pass

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    answered = 0
    lock = threading.Lock()

    def handle_error(self, *_):
        pass


def lines_of(path: Path) -> tuple[Counter, int]:
    """How often each title is there, and how many lines are broken."""
    titles, broken = Counter(), 0
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        if not line:
            continue
        try:
            titles[json.loads(line)["title"]] += 1
        except (ValueError, KeyError, TypeError):
            broken += 1
    return titles, broken


def trial(command: list[str], out: Path, server: Server, moment: int, env: dict) -> tuple[int, int, int, int]:
    """Kills the command after so many pages, lets it finish; gives lost, twice, broken, exit code."""
    server.answered = 0
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    end = time.monotonic() + LONGEST_RUN_SECONDS
    while server.answered < moment and child.poll() is None and time.monotonic() < end:
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    child.wait()
    again = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, timeout=LONGEST_RUN_SECONDS, check=False
    )
    titles, broken = lines_of(out)
    lost = sum(1 for page in range(PAGES) if f"Page {page}" not in titles)
    twice = sum(count - 1 for count in titles.values())
    return lost, twice, broken, again.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pagemill", default=HERE.parents[1] / "target/release/pagemill", type=Path)
    parser.add_argument("--pagemill-arg", action="append", default=[], help="one more flag for pagemill, repeatable")
    parser.add_argument("--venv", type=Path, help="a venv with Scrapy; without it, only pagemill is tried")
    parser.add_argument("--trials", default=30, type=int)
    parser.add_argument("--seed", default=20, type=int)
    args = parser.parse_args()
    if not args.pagemill.exists():
        print(f"{args.pagemill} is missing: cargo build --release", file=sys.stderr)
        return 2
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/0"
    env = {"PATH": "/usr/bin:/bin"}
    peers = ["pagemill"] + (["scrapy"] if args.venv else [])
    is_whole = True
    for peer in peers:
        luck = random.Random(args.seed)
        results = []
        for _ in range(args.trials):
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder, "out.jsonl")
                command = {
                    "pagemill": [str(args.pagemill), "crawl", url, "-f", "title=//h1", "--follow", "//a/@href"]
                    + ["--no-robots", "-j", "8", "--throttle", "off", "-q", "-o", str(out), *args.pagemill_arg],
                    "scrapy": [f"{args.venv}/bin/python", str(HERE / "scrapy_jobdir.py"), url, str(out)]
                    + [str(Path(folder, "jobdir"))],
                }[peer]
                results.append(trial(command, out, server, luck.randrange(1, PAGES), env))
        lost, twice, broken, _ = (sum(column) for column in zip(*results))
        bad = sum(1 for result in results if any(result[:3]))
        silent = sum(1 for result in results if any(result[:3]) and result[3] == 0)
        worst = max(result[0] for result in results)
        print(
            f"{peer}: {args.trials} trials of {PAGES} pages: {bad} not whole, {silent} of them with exit code 0;"
            f" {lost} lines lost (at worst {worst} of {PAGES}), {twice} twice, {broken} broken"
        )
        is_whole &= peer != "pagemill" or bad == 0
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
