#!/usr/bin/env python3
"""How long do pagemill and lxml take for the same page, on one thread, from bytes to the links in it?

For each page the two take turns: parsing, then `//a` with `./@href`, `./text()` and `normalize-space(.)` of each.
Medians of N runs. lxml's values stay Python strings; pagemill's are written as JSON Lines, which is counted.
Run by hand: python3 with lxml, and files as arguments. The first run builds the measuring program.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
# Building takes minutes on a small machine; one page takes seconds at most.
BUILD_LIMIT_SECONDS = 1800


def main() -> int:
    options = read_arguments()
    try:
        import lxml.etree
        import lxml.html
    except ImportError:
        print("lxml is missing: run this with a Python that has it (pip install lxml)", file=sys.stderr)
        return 2
    libxml2 = ".".join(map(str, lxml.etree.LIBXML_VERSION))
    print(f"lxml {lxml.etree.__version__}, libxml2 {libxml2}; {options.rounds} runs, medians, one thread\n")
    print("| page | KB | links | parse µs | lxml | extract µs | lxml | parse ratio | together |")
    print("| --- " + "| ---: " * 8 + "|")
    measured = []
    skipped = []
    with Ours(options.program or build(), options.rounds) as ours:
        for file in options.files:
            mine = ours.measure(file)
            theirs = measure_lxml(lxml, file, options.rounds) if "error" not in mine else None
            if theirs is None:
                skipped.append(file)
                continue
            measured.append((mine, theirs))
            print(row(file, mine, theirs), flush=True)
    if not measured:
        print("no page could be measured", file=sys.stderr)
        return 1
    print_summary(measured, skipped)
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="saved pages")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="default: 9")
    parser.add_argument("--program", metavar="PATH", help="the bench `pages`, if it is built; default: build it")
    return parser.parse_args()


def build() -> str:
    """The measuring program; cargo says where it put it."""
    command = ["cargo", "bench", "--no-run", "--bench", "pages", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=BUILD_LIMIT_SECONDS, check=True)
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "pages":
            return message["executable"]
    raise SystemExit("cargo built no program named `pages`")


class Ours:
    """The measuring program, which answers one page at a time, so that the peers take turns."""

    def __init__(self, program: str, rounds: int) -> None:
        command = [program, "measure", "--rounds", str(rounds), "-"]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Ours":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.child.stdin.close()
        try:
            self.child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.child.kill()

    def measure(self, file: str) -> dict:
        print(file, file=self.child.stdin, flush=True)
        return json.loads(self.child.stdout.readline())


def measure_lxml(lxml, file: str, rounds: int) -> dict | None:
    body = Path(file).read_bytes()
    each, *fields = (lxml.etree.XPath(text) for text in ("//a", "./@href", "./text()", "normalize-space(.)"))

    def parse():
        return lxml.html.fromstring(body)

    def extract(document):
        return [[field(link) for field in fields] for link in each(document)]

    try:
        document = parse()
    except (lxml.etree.LxmlError, ValueError):
        return None
    return {
        "records": len(extract(document)),
        "parse_us": microseconds(parse, rounds),
        "extract_us": microseconds(lambda: extract(document), rounds),
    }


def microseconds(work, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - started)
        # In lxml's favour: pagemill's time contains it.
        del result
    return median(times) * 1e6


def together(figures: dict) -> float:
    return figures["parse_us"] + figures["extract_us"]


def row(file: str, mine: dict, theirs: dict) -> str:
    links = str(mine["records"])
    if mine["records"] != theirs["records"]:
        links += f" (lxml: {theirs['records']})"
    figures = [mine["parse_us"], theirs["parse_us"], mine["extract_us"], theirs["extract_us"]]
    ratios = [theirs["parse_us"] / mine["parse_us"], together(theirs) / together(mine)]
    cells = [f"{f:.0f}" for f in figures] + [f"{r:.2f}" for r in ratios]
    return f"| {'/'.join(Path(file).parts[-2:])} | {mine['bytes'] / 1000:.0f} | {links} | {' | '.join(cells)} |"


def print_summary(measured: list[tuple[dict, dict]], skipped: list[str]) -> None:
    def mean(ratio) -> float:
        return math.exp(sum(math.log(ratio(m, t)) for m, t in measured) / len(measured))

    def total(key: str, whose: int) -> float:
        return sum(pair[whose][key] for pair in measured) / 1000

    print(f"\n{len(measured)} pages; lxml's time divided by pagemill's, geometric mean (time of all pages):")
    for name, key in (("parse", "parse_us"), ("extract", "extract_us")):
        shown = f"{total(key, 1):.1f} ms / {total(key, 0):.1f} ms"
        print(f"- {name}: {mean(lambda m, t: t[key] / m[key]):.2f} ({shown})")
    both = mean(lambda m, t: together(t) / together(m))
    slower = sum(together(t) < together(m) for m, t in measured)
    print(f"- together: {both:.2f}; lxml was faster on {slower}")
    html = [m for m, _ in measured if m["floor_us"]]
    floor = math.exp(sum(math.log(m["parse_us"] / m["floor_us"]) for m in html) / max(len(html), 1))
    print(f"- parse divided by html5ever into nothing: {floor:.2f}")
    if skipped:
        print(f"- left out, as one of the two made no document: {len(skipped)}")


if __name__ == "__main__":
    sys.exit(main())
