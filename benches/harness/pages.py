"""Makes HTML pages of a wanted size and number of links: the same bytes at every call, on every machine.

The markup is nested as on real pages, and its links are of the kinds that real pages have: bare text, text after an
element, an image only, references in `href`, line breaks and no-break spaces in the text, no `href` at all.
"""

import random
from collections.abc import Iterator

WORDS = (
    "river harbour copper lantern orchard winter signal garden meadow granite ladder paper engine bridge market "
    "velvet summit anchor thunder pepper island mirror ribbon candle forest pocket saddle timber window yellow "
    "café naïve Zürich smörgås Łódź Ελλάδα вода 東京 of the and in to a by with from under over near at on was is"
).split()

STYLE = ".card{display:flex;margin:0 auto;padding:.5rem 1rem}.card>a:hover{color:#204080;text-decoration:underline}"
SCRIPT = "window.queue=window.queue||[];if(1<2&&3>2){queue.push({name:'view',href:'<a href=\"#\">no link</a>'})}"

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="description" content="{title} &amp; more">
<style>{style}</style>
<script>{script}</script>
</head>
<body class="page skin-light">
<div id="wrap"><div class="content"><main role="main">
"""

TAIL = """</main></div></div>
<footer><p>{title}</p></footer>
</body>
</html>
"""

LINKS_OF_A_SECTION = 12


def made_page(links: int, size_bytes: int, seed: int = 1) -> bytes:
    """A page with exactly `links` elements `a`, and `size_bytes` bytes within a few hundred."""
    rng = random.Random(seed)
    title = _words(rng, 5)
    parts = [HEAD.format(title=title, style=STYLE, script=SCRIPT)]
    tail = TAIL.format(title=title)
    length = len(parts[0].encode())
    room = size_bytes - length - len(tail.encode())
    for done, section in _sections(rng, links):
        length += len(section.encode())
        parts.append(section)
        due = size_bytes - room * (links - done) // max(links, 1) - len(tail.encode())
        while length < due:
            parts.append(_filler(rng, due - length))
            length += len(parts[-1].encode())
    return "".join([*parts, tail]).encode()


def _sections(rng: random.Random, links: int) -> Iterator[tuple[int, str]]:
    """Sections of the page, each with the number of links up to its end."""
    layouts = (_menu, _paragraph, _table, _cards)
    for number, first in enumerate(range(0, links, LINKS_OF_A_SECTION)):
        end = min(first + LINKS_OF_A_SECTION, links)
        anchors = [_anchor(rng, n) for n in range(first, end)]
        yield end, layouts[number % len(layouts)](rng, anchors)


def _anchor(rng: random.Random, number: int) -> str:
    text = _words(rng, rng.randint(1, 4))
    href = f"/wiki/{number}/{rng.choice('abcdef')}?from=list&amp;at={number}#part-{number % 7}"
    kinds = (
        f'<a href="{href}">{text}</a>',
        f'<a class="link" href="{href}" title="{text}">{text}</a>',
        f'<a href="{href}"><span class="icon"><b>{text}</b></span></a>',
        f'<a href="{href}"><img src="/img/{number}.png" alt="{text}" width="40" height="30"></a>',
        f'<a\n   href="{href}"\n   rel="nofollow">\n    {text}\n    &amp; {_words(rng, 1)}\n  </a>',
        f'<a href="https://example.org{href}"><em>{_words(rng, 1)}</em> {text}&nbsp;&#8211; <i>more</i></a>',
        f'<a id="mark-{number}">{text}</a>',
    )
    # Plain links are the most common ones.
    return rng.choices(kinds, weights=(6, 6, 2, 1, 2, 2, 1))[0]


def _menu(_rng: random.Random, anchors: list[str]) -> str:
    items = "\n".join(f'  <li class="item"><div>{anchor}</div></li>' for anchor in anchors)
    return f'<nav><ul class="menu">\n{items}\n</ul></nav>\n'


def _paragraph(rng: random.Random, anchors: list[str]) -> str:
    text = " ".join(f"{_words(rng, 6)} {anchor}," for anchor in anchors)
    return f"<section><h2>{_words(rng, 3)}</h2>\n<p>{text}</p></section>\n"


def _table(rng: random.Random, anchors: list[str]) -> str:
    rows = "\n".join(f"<tr><th>{_words(rng, 1)}</th><td>{anchor}</td></tr>" for anchor in anchors)
    return f'<table class="info"><tbody>\n{rows}\n</tbody></table>\n'


def _cards(_rng: random.Random, anchors: list[str]) -> str:
    cards = "".join(f'<div class="card"><div class="body"><h3>{anchor}</h3></div></div>\n' for anchor in anchors)
    return f'<div class="grid">{cards}</div>\n'


def _filler(rng: random.Random, wanted_bytes: int) -> str:
    """A block without links, of some hundred bytes; about as long as wanted if that is less."""
    words = max(1, min(20, wanted_bytes // 10))
    kinds = (
        f"<p>{_words(rng, words)} <em>{_words(rng, 2)}</em>, {_words(rng, 3)}.<br></p>\n",
        f'<div class="note"><div><span class="label">{_words(rng, 1)}</span> {_words(rng, words)}</div></div>\n',
        f'<ul class="facts"><li>{_words(rng, 2)}</li><li data-rank="3"><b>{_words(rng, words)}</b></li></ul>\n',
    )
    return kinds[0] if words < 20 else rng.choice(kinds)


def _words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(count))
