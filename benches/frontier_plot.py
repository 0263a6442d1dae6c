#!/usr/bin/env python3
"""Draws what a URL costs over their number: the table of `cargo bench --bench frontier -- graph frontier`, as SVG.

Usage: frontier_plot.py TABLE > docs/frontier.svg, where the table is what the command printed, or `-`.
"""

import math
import sys
from collections.abc import Iterable
from pathlib import Path

PANEL = (300, 190)
LEFT, TOP, BETWEEN = 56, 34, 84
# Dark on light and light on dark alike.
INK, BLUE, ORANGE, GREEN = "#808080", "#3b82c4", "#d9822b", "#3f9a52"

Point = tuple[float, float]


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    rows = read(sys.stdin.read() if sys.argv[1] == "-" else Path(sys.argv[1]).read_text(encoding="utf-8"))
    n, _, discover, crawl, size, _, peak = zip(*rows, strict=True)
    width = LEFT + 2 * PANEL[0] + BETWEEN + 20
    height = TOP + PANEL[1] + 48
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"', end="")
    print(f' font-size="11" fill="{INK}">')
    print("<title>What a URL costs, from ten thousand to ten million of them</title>")
    times = {"taken in": (discover, BLUE), "handed out, settled": (crawl, ORANGE)}
    panel(LEFT, "nanoseconds a URL", n, times, range(0, 10_000, 500), is_log=False)
    mebibyte = 1 << 20
    most = [mebibyte * value / count for value, count in zip(peak, n, strict=True)]
    sizes = {"peak of the process": (most, BLUE), "held at the end of discovery": (size, GREEN)}
    panel(LEFT + PANEL[0] + BETWEEN, "bytes of memory a URL", n, sizes, [10, 30, 100, 300, 1000, 3000], is_log=True)
    print("</svg>")
    return 0


def read(table: str) -> list[list[float]]:
    """The lines of numbers; what cargo says around them is left out."""
    return [[float(cell) for cell in line.split()] for line in table.splitlines() if line[:1].isdigit()]


def panel(left: int, title: str, n: Iterable[float], lines: dict, ticks: Iterable[int], *, is_log: bool) -> None:
    """One picture: the lines over the logarithm of n, from the least tick to the first above all."""
    wide, high = PANEL
    n = list(n)
    most = max(value for values, _ in lines.values() for value in values)
    kept = [tick for at, tick in enumerate(ticks) if at == 0 or list(ticks)[at - 1] < most]
    scale = math.log10 if is_log else float
    low, top = scale(kept[0]), scale(kept[-1])

    def place(count: float, value: float) -> Point:
        across = (math.log10(count) - math.log10(n[0])) / (math.log10(n[-1]) - math.log10(n[0]))
        return left + 14 + (wide - 28) * across, TOP + high * (1 - (scale(value) - low) / (top - low))

    print(f'<text x="{left}" y="{TOP - 16}" font-weight="bold">{title}</text>')
    for tick in kept:
        _, y = place(n[0], tick)
        print(f'<path d="M{left} {y:.1f}h{wide}" stroke="{INK}" stroke-opacity=".3"/>')
        print(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:,}</text>')
    for count in n:
        x, _ = place(count, kept[0])
        power = f'10<tspan dy="-4" font-size="8">{round(math.log10(count))}</tspan>'
        print(f'<text x="{x:.1f}" y="{TOP + high + 18}" text-anchor="middle">{power}</text>')
    for at, (name, (values, colour)) in enumerate(lines.items()):
        points = [place(count, value) for count, value in zip(n, values, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        print(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), value in zip(points, values, strict=True):
            print(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{value:,.0f}</title></circle>')
        x = left + 4 + at * 140
        print(f'<text x="{x}" y="{TOP + high + 38}" fill="{colour}">{name}</text>')


if __name__ == "__main__":
    sys.exit(main())
