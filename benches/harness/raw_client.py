"""The least a client can do: many connections, each sending its next request when an answer has come.

Usage: raw_client.py PORT CONNECTIONS SECONDS; prints answers per second and the median and 99th percentile of the time
to an answer, in seconds. It shows what the server can do when the client costs next to nothing.
"""

import asyncio
import gc
import sys
import time

REQUEST = b"GET /1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
END_OF_BODY = b"</html>\n"


class Asking(asyncio.Protocol):
    """One connection; `asked_answered` is shared by all and holds two moments for each answer."""

    def __init__(self, asked_answered: list[tuple[float, float]]) -> None:
        self.asked_answered = asked_answered

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.asked = time.perf_counter()
        self.transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        if data.endswith(END_OF_BODY):
            self.asked_answered.append((self.asked, time.perf_counter()))
            self.ask()


async def main(port: int, connections: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    asked_answered: list[tuple[float, float]] = []
    for _ in range(connections):
        await loop.create_connection(lambda: Asking(asked_answered), "127.0.0.1", port)
    # Connecting is not what is measured.
    asked_answered.clear()
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    # Answers come in waves; counted up to the last answer, no wave is cut in two.
    rate = len(asked_answered) / (asked_answered[-1][1] - started)
    times = sorted(answered - asked for asked, answered in asked_answered)
    print(rate, times[len(times) // 2], times[len(times) * 99 // 100])


if __name__ == "__main__":
    gc.disable()
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
