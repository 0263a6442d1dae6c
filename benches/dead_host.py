#!/usr/bin/env python3
"""Does one dead host slow the others down?

Sixteen hosts (127.0.0.1 to 127.0.0.16, one port) answer after 50 ms; then the same again with one of them that takes
connections and never answers, and once more with one that falls silent after its first pages. The pages per second of
the other fifteen, by the server's own log, must stay within 10 %. One in sixteen pages is the dead host's, spread
evenly, and 16 crawl threads work on all of them.
"""

import argparse
import asyncio
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

HOSTS = 16
DEAD = "127.0.0.9"
LATENCY_SECONDS = 0.05
PAGE = b"<html><body><h1>a page</h1><a href='/x'>x</a></body></html>"


class Site:
    """Answers on sixteen addresses, and notes when each page was asked for."""

    def __init__(self, dies_after: int | None) -> None:
        self.dies_after = dies_after
        self.of_dead = 0
        self.asked: list[tuple[str, float]] = []
        self.port = 0
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.serve(),), daemon=True)
        self.thread.start()
        self.ready.wait(10)

    async def serve(self) -> None:
        self.over = asyncio.Event()
        servers = []
        for number in range(1, HOSTS + 1):
            server = await asyncio.start_server(self.answer, f"127.0.0.{number}", self.port)
            self.port = server.sockets[0].getsockname()[1]
            servers.append(server)
        self.ready.set()
        await self.over.wait()
        for server in servers:
            server.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"/robots.txt" not in head:
                    self.asked.append((host, time.monotonic()))
                if host == DEAD and self.dies_after is not None:
                    self.of_dead += 1
                    if self.of_dead > self.dies_after:
                        await self.over.wait()
                        break
                await asyncio.sleep(LATENCY_SECONDS)
                status = b"404 Not Found" if b"/robots.txt" in head else b"200 OK"
                length = f"Content-Length: {len(PAGE)}\r\n\r\n".encode()
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\n" + length + PAGE)
                await writer.drain()
        writer.close()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.over.set)


def rate_of_others(options: argparse.Namespace, dies_after: int | None) -> float:
    """Pages per second of all hosts but DEAD, from the first to the last of their pages."""
    site = Site(dies_after)
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out.jsonl"
        url = f"http://127.0.0.{{page%{HOSTS}+1}}:{site.port}/{{page}}"
        command = [str(options.pagemill), "crawl", url, "-p", f"1-{options.pages}", "-f", "h=//h1", "-j", "16", "-q"]
        command += ["-O", str(out), "--retry", "0", "--max-pause", "1s", "--read-timeout", "5s", *options.pagemill_arg]
        done = subprocess.run(command, timeout=300, check=False, stderr=subprocess.PIPE, text=True)
        lines = out.read_text().count("\n")
    site.close()
    dead_number = int(DEAD.rsplit(".", 1)[1])
    of_dead = sum(page % HOSTS + 1 == dead_number for page in range(1, options.pages + 1))
    # Robots.txt is the first that is asked of it.
    got = of_dead if dies_after is None else max(dies_after - 1, 0)
    if lines != options.pages - of_dead + got or done.returncode != (0 if dies_after is None else 3):
        sys.exit(f"{lines} records of {options.pages}, exit {done.returncode}\n{done.stderr[-2000:]}")
    times = sorted(at for host, at in site.asked if host != DEAD)
    return (len(times) - 1) / (times[-1] - times[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--pagemill", type=pathlib.Path, default=root / "target/release/pagemill")
    parser.add_argument("--pagemill-arg", action="append", default=[], help="pass this flag on to pagemill")
    parser.add_argument("--pages", type=int, default=3200)
    options = parser.parse_args()
    alive = rate_of_others(options, None)
    print(f"all alive:           {alive:.0f} pages/s of the fifteen others")
    slowed = False
    for name, dies_after in [("dead from the start", 0), ("dead after 50 pages", 51)]:
        dead = rate_of_others(options, dies_after)
        print(f"{name}: {dead:.0f} pages/s of the fifteen others ({dead / alive:.1%})")
        slowed |= dead < 0.9 * alive
    if slowed:
        sys.exit("the dead host slows the others down by more than 10 %")


if __name__ == "__main__":
    main()
