"""An HTTP server on loopback that bears so many requests per second, and refuses or slows down beyond it.

Usage: fragile_server.py CAPACITY BURST LATENCY_SECONDS STATUS RETRY_AFTER LOG; RETRY_AFTER in seconds, or 0 for none.
Prints its port once it listens, and serves until it is ended. It is its own witness: each request is a line of LOG
(seconds since the first one, status, requests in hand, path), and `/stats` gives the counts as JSON.

A token bucket decides who is refused. Each other request in hand adds a fifth of the latency, and each one refused in
the last second a tenth, since saying no is work too.
"""

import asyncio
import json
import sys
from collections import deque
from pathlib import Path

PER_OTHER = 0.2
PER_REFUSED = 0.1

BODY = b"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>fragile</title></head>
<body><ul><li><a href="/1">one</a></li></ul></body></html>
"""

REASONS = {200: "OK", 404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}


class Fragile:
    """What all connections share: the bucket, the load, the log."""

    def __init__(self, capacity: float, burst: float, latency: float, status: int, retry_after: int, log: Path) -> None:
        self.capacity, self.burst, self.latency = capacity, burst, latency
        self.status, self.retry_after = status, retry_after
        self.loop = asyncio.get_running_loop()
        self.tokens, self.filled = burst, self.loop.time()
        self.in_hand = 0
        self.lately_refused: deque[float] = deque()
        self.log = log.open("w")
        self.first: float | None = None
        self.last_answer = 0.0
        self.counts = {"answered": 0, "refused": 0}
        self.pages: set[str] = set()

    def decide(self, path: str) -> tuple[int, float]:
        """Status and latency of the answer to a request that has just arrived."""
        now = self.loop.time()
        self.first = now if self.first is None else self.first
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.capacity)
        self.filled = now
        while self.lately_refused and self.lately_refused[0] < now - 1:
            self.lately_refused.popleft()
        late = self.latency * (1 + PER_OTHER * self.in_hand + PER_REFUSED * len(self.lately_refused))
        if self.tokens >= 1:
            self.tokens -= 1
            status = 200
            self.counts["answered"] += 1
            self.pages.add(path)
        else:
            self.lately_refused.append(now)
            status = self.status
            self.counts["refused"] += 1
        self.log.write(f"{now - self.first:.4f}\t{status}\t{self.in_hand}\t{path}\n")
        self.in_hand += 1
        return status, late

    def settled(self, status: int) -> None:
        """An answer goes out."""
        self.in_hand -= 1
        if status == 200:
            self.last_answer = self.loop.time()

    def stats(self) -> bytes:
        self.log.flush()
        seconds = 0.0 if self.first is None else max(0.0, self.last_answer - self.first)
        return json.dumps({**self.counts, "pages": len(self.pages), "seconds": seconds}).encode()


class Connection(asyncio.Protocol):
    """Requests have no body, so each ends at its first empty line."""

    def __init__(self, server: Fragile) -> None:
        self.server = server
        self.unread = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self.unread = (self.unread + data).split(b"\r\n\r\n")
        for request in requests:
            path = request.split(b" ", 2)[1].decode("latin-1")
            if path == "/robots.txt":
                self.write(404, b"")
            elif path == "/stats":
                self.write(200, self.server.stats())
            else:
                status, late = self.server.decide(path)
                self.server.loop.call_later(late, self.answer, status)

    def answer(self, status: int) -> None:
        self.server.settled(status)
        self.write(status, BODY if status == 200 else b"")

    def write(self, status: int, body: bytes) -> None:
        if self.transport.is_closing():
            return
        asks = status == self.server.status and self.server.retry_after > 0
        retry_after = f"Retry-After: {self.server.retry_after}\r\n" if asks else ""
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: text/html\r\n{retry_after}"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def serve(words: list[str]) -> None:
    capacity, burst, latency = (float(word) for word in words[:3])
    fragile = Fragile(capacity, burst, latency, int(words[3]), int(words[4]), Path(words[5]))
    server = await asyncio.get_running_loop().create_server(lambda: Connection(fragile), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
