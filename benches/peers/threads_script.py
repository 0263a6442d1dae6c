"""The plain pattern as a peer: one Python process, 16 crawl threads, a queue, 3 parser threads, one writer.

Usage: threads_script.py URL PAGES OUT, where `{page}` in URL becomes 0 to PAGES-1. Runs in the peers' own venv.
Each stage ends when it takes one `None` for each of its threads out of its queue.
"""

import json
import sys
import threading
from queue import Queue

import lxml.html
import requests
from requests.adapters import HTTPAdapter

CRAWL_THREADS = 16
PARSER_THREADS = 3
TIMEOUT_SECONDS = 30


def crawl(session: requests.Session, urls: Queue, pages: Queue) -> None:
    while (url := urls.get()) is not None:
        response = session.get(url, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        pages.put(response.content)


def parse(pages: Queue, batches: Queue) -> None:
    while (body := pages.get()) is not None:
        document = lxml.html.document_fromstring(body)
        batches.put([record(link) for link in document.xpath("//a")])


def record(link: lxml.html.HtmlElement) -> dict[str, str | None]:
    href, text = first(link.xpath("./@href")), first(link.xpath("./text()"))
    return {"href": href, "text": None if text is None else " ".join(text.split())}


def first(values: list[str]) -> str | None:
    return values[0] if values else None


def write(batches: Queue, path: str) -> None:
    with open(path, "w", encoding="utf-8") as out:
        while (batch := batches.get()) is not None:
            for item in batch:
                out.write(json.dumps(item, ensure_ascii=False) + "\n")


def main() -> None:
    url, page_count, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    urls, pages, batches = Queue(), Queue(maxsize=64), Queue(maxsize=64)
    session = requests.Session()
    # The default pool keeps ten connections and would close the other six after each use.
    session.mount("http://", HTTPAdapter(pool_maxsize=CRAWL_THREADS))
    # Daemons, so that a thread that fails leaves a short file behind and not a process that waits for ever.
    crawlers = started(CRAWL_THREADS, crawl, session, urls, pages)
    parsers = started(PARSER_THREADS, parse, pages, batches)
    writers = started(1, write, batches, path)
    for page in range(page_count):
        urls.put(url.replace("{page}", str(page)))
    for queue, threads in ((urls, crawlers), (pages, parsers), (batches, writers)):
        finish(queue, threads)


def started(count: int, work, *arguments) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=arguments, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def finish(queue: Queue, threads: list[threading.Thread]) -> None:
    for _ in threads:
        queue.put(None)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
