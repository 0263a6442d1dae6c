"""The Scrapy peer that can be resumed: follows all links, writes one line for each page, keeps its state in JOBDIR.

Usage: scrapy_jobdir.py URL OUT JOBDIR. Runs in the peers' own venv.
"""

import sys
from pathlib import Path

import scrapy
from scrapy.crawler import CrawlerProcess

SETTINGS = {
    "CONCURRENT_REQUESTS": 8,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "DOWNLOAD_DELAY": 0,
    "ROBOTSTXT_OBEY": False,
    "LOG_LEVEL": "ERROR",
    # Off since it opens a port of its own.
    "TELNETCONSOLE_ENABLED": False,
}


class PagesSpider(scrapy.Spider):
    """Yields one item for each page."""

    name = "pages"

    def parse(self, response):
        yield {"title": response.xpath("//h1/text()").get()}
        yield from response.follow_all(xpath="//a", callback=self.parse)


def main() -> None:
    url, out, jobdir = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    # Whoever resumes must not overwrite.
    feed = {"format": "jsonlines", "encoding": "utf-8", "overwrite": False}
    process = CrawlerProcess({**SETTINGS, "JOBDIR": jobdir, "FEEDS": {out.resolve().as_uri(): feed}})
    process.crawl(PagesSpider, start_urls=[url])
    process.start()


if __name__ == "__main__":
    main()
