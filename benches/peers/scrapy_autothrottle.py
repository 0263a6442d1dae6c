"""The Scrapy peer as a polite user runs it: its defaults and AutoThrottle.

Usage: scrapy_autothrottle.py URL PAGES OUT, as scrapy_links.py, whose spider it runs. Retries are on by default.
"""

import sys
from pathlib import Path

from scrapy.crawler import CrawlerProcess
from scrapy_links import LinksSpider

SETTINGS = {
    "AUTOTHROTTLE_ENABLED": True,
    "LOG_LEVEL": "CRITICAL",
    # Off since it opens a port of its own.
    "TELNETCONSOLE_ENABLED": False,
}


def main() -> None:
    url, pages, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    feed = {"format": "jsonlines", "encoding": "utf-8", "overwrite": True}
    process = CrawlerProcess({**SETTINGS, "FEEDS": {out.resolve().as_uri(): feed}})
    process.crawl(LinksSpider, start_urls=[url.replace("{page}", str(page)) for page in range(pages)])
    process.start()


if __name__ == "__main__":
    main()
