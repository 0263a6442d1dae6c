"""The Scrapy peer of a crawl by links: every page of a site, its URL and title, as JSON Lines.

Usage: scrapy_crawl.py URL OUT. Runs in the peers' own venv.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from scrapy.crawler import CrawlerProcess
from scrapy.http import TextResponse
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule

SETTINGS = {
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "DOWNLOAD_DELAY": 0,
    "ROBOTSTXT_OBEY": True,
    "LOG_LEVEL": "ERROR",
    # Off since it opens a port of its own.
    "TELNETCONSOLE_ENABLED": False,
}


class SiteSpider(CrawlSpider):
    """Follows every `a` within the host."""

    name = "site"
    # What a page is called does not say what it is: no extension is left out.
    rules = (Rule(LinkExtractor(tags=("a",), deny_extensions=[]), callback="parse_item", follow=True),)

    def parse_start_url(self, response, **_):
        return self.parse_item(response)

    def parse_item(self, response):
        # An image has no title to look for; a text that is linked, such as robots.txt, is a page without one.
        if not isinstance(response, TextResponse):
            return
        yield {"url": response.url, "title": response.xpath("//title/text()").get()}


def main() -> None:
    url, out = sys.argv[1], Path(sys.argv[2])
    feed = {"format": "jsonlines", "encoding": "utf-8", "overwrite": True}
    process = CrawlerProcess({**SETTINGS, "FEEDS": {out.resolve().as_uri(): feed}})
    process.crawl(SiteSpider, start_urls=[url], allowed_domains=[urlsplit(url).hostname])
    process.start()


if __name__ == "__main__":
    main()
