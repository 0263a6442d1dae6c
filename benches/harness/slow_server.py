"""An HTTP server on loopback that answers every request the same number of milliseconds after it arrived.

Usage: slow_server.py LATENCY_SECONDS; prints its port once it listens, and serves until it is ended. It is a process of
its own, so that its work is not in the way of whoever measures. A timer per request is all it does: no HTTP library.
"""

import asyncio
import gc
import resource
import sys

CONNECTIONS = 4096
"""How many may wait to be accepted at once."""

BODY = b"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>slow</title></head>
<body><ul><li><a href="/1">one</a></li></ul></body></html>
"""

FOUND = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
NO_ROBOTS = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Slow(asyncio.Protocol):
    """One connection. Requests have no body, so each ends at its first empty line."""

    def __init__(self, latency_seconds: float) -> None:
        self.latency_seconds = latency_seconds
        self.loop = asyncio.get_running_loop()
        self.unread = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self.unread = (self.unread + data).split(b"\r\n\r\n")
        for request in requests:
            answer = NO_ROBOTS if request.startswith(b"GET /robots.txt ") else FOUND
            self.loop.call_later(self.latency_seconds, self.answer, answer)

    def answer(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


async def serve(latency_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Slow(latency_seconds), "127.0.0.1", 0, backlog=CONNECTIONS)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def raise_open_files() -> None:
    """A shell's usual limit of 1,024 open files is near what this is asked to hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    raise_open_files()
    # What is here lives to the end; a collection in the middle would be a pause for every waiting answer.
    gc.freeze()
    asyncio.run(serve(float(sys.argv[1])))
