#!/usr/bin/env python3
"""Makes seeds for the fuzzer from saved pages: seed.py FOLDER_OF_PAGES, into fuzz/corpus/page.

Each page of at most 64 KB becomes one seed with an expression taken in turn from a list that uses every axis, every
kind of node test and every function.
"""

import pathlib
import sys

EXPRESSIONS = [
    "a[]=//a/@href", "a=//h1/text()", "a[]=//li[1]/following-sibling::li", "a=count(//*[@class])",
    "a[]=//td/preceding::*[last()]", "a[]=//div[contains(@class,'item')]//span[position()<3]/text()",
    "a=normalize-space((//p)[last()])", "a[]=//*[self::h1 or self::h2][not(@id)]", "a=sum(//@width)",
    "a[]=//ancestor-or-self::*[2]", "a=string-length(//title)", "a=translate(substring-before(//a,' '),'a','b')",
    "a[]=//comment() | //processing-instruction()", "a[]=id('main')/node()", "a[]=//@*[name()='href']",
    "a=boolean(//p = //li) and 1 div 0 > -1 mod 2", "a[]=//descendant::text()[string-length() > 3]",
    "a=concat(local-name(//*[1]), namespace-uri(/*), round(-1.5), floor(2.5))", "a[]=//*[lang('en')]",
    "a[]=//namespace::*", "a[]=css:div > a[href]::attr(href), li:nth-child(2n+1)::text", "a[]=json:$..*",
    "a:float=//*[contains(., '1')]", "a:date=//time", "a:url=//a/@href", "a:html=//p", "a[]=css:p:has(a):not(.x) ~ *",
    "a[]=//p[re:test(., '[0-9]+')]", "a=re:replace(//p, 'x', 'g', '$0y')", "a=re:match(//p, '(\\d+)')",
    "a[]=//*[has-class('a', 'b')]", "a[]=json:$.*[?@.a > 1].b", "a:json=//script", "a=number(//td) * -(3 - 4)", "a[]=//item/*[local-name()='title']/text()",
]


def main() -> None:
    pages = sorted(p for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file() and p.stat().st_size <= 65536)
    target = pathlib.Path(__file__).parent / "corpus" / "page"
    target.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages):
        kind = "x" if page.suffix in (".xml", ".rss") else "hgn"[number % 3]
        head = f"{kind} {EXPRESSIONS[number % len(EXPRESSIONS)]}\n"
        (target / f"seed-{number:04}").write_bytes(head.encode() + page.read_bytes())
    print(f"{len(pages)} seeds")


if __name__ == "__main__":
    main()
