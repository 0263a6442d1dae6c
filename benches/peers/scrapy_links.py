"""The Scrapy peer: `//a` with `href` and first text of each, as JSON Lines.

Usage: scrapy_links.py URL PAGES OUT, where `{page}` in URL becomes 0 to PAGES-1. Runs in the peers' own venv.
"""

import sys
from pathlib import Path

import scrapy
from scrapy.crawler import CrawlerProcess

SETTINGS = {
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "DOWNLOAD_DELAY": 0,
    "ROBOTSTXT_OBEY": False,
    "LOG_LEVEL": "ERROR",
    # Off since it opens a port of its own.
    "TELNETCONSOLE_ENABLED": False,
}


class LinksSpider(scrapy.Spider):
    """Yields one item for each link of each page."""

    name = "links"

    def parse(self, response):
        for link in response.xpath("//a"):
            text = link.xpath("./text()").get()
            yield {
                "href": link.xpath("./@href").get(),
                "text": None if text is None else " ".join(text.split()),
            }


def main() -> None:
    url, pages, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    feed = {"format": "jsonlines", "encoding": "utf-8", "overwrite": True}
    process = CrawlerProcess({**SETTINGS, "FEEDS": {out.resolve().as_uri(): feed}})
    process.crawl(LinksSpider, start_urls=[url.replace("{page}", str(page)) for page in range(pages)])
    process.start()


if __name__ == "__main__":
    main()
