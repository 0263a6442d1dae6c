"""Reads JSON Lines as a multiset of records and says where two of them differ.

White space is collapsed before comparing, since whether a no-break space counts as white space is each peer's own
choice; the order of lines and of keys does not count.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHOWN = 5
"""How many differing records are printed for each side."""


@dataclass(frozen=True)
class Records:
    """The records of one file."""

    count: int
    by_text: Counter[str]
    """How often each record, in one fixed spelling, is there."""


def read_records(path: Path) -> Records:
    """The records of a file; none if there is no such file, as a crawl may write nothing."""
    if not path.exists():
        return Records(0, Counter())
    # The same page is crawled under many URLs, so few lines are distinct: each is parsed once.
    with path.open("rb") as lines:
        by_line = Counter(line for line in lines if line.strip())
    by_text: Counter[str] = Counter()
    for line, times in by_line.items():
        by_text[_spelling(line)] += times
    return Records(by_line.total(), by_text)


def _spelling(line: bytes) -> str:
    try:
        record = json.loads(line)
    except ValueError:
        return f"not JSON: {line!r}"
    return json.dumps(_collapsed(record), sort_keys=True, ensure_ascii=False)


def _collapsed(value: object) -> object:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, dict):
        return {key: _collapsed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_collapsed(inner) for inner in value]
    return value


def differences(left_label: str, left: Records, right_label: str, right: Records) -> Iterator[str]:
    """Lines for a reader; none if both hold the same records."""
    if left.by_text == right.by_text:
        return
    yield f"DIFFERENCE: {left_label} gave {left.count} records, {right_label} gave {right.count}."
    yield from _only(left_label, left.by_text - right.by_text)
    yield from _only(right_label, right.by_text - left.by_text)


def _only(label: str, surplus: Counter[str]) -> Iterator[str]:
    for record, times in surplus.most_common(SHOWN):
        yield f"  more in {label}: {times} x {record}"
    if len(surplus) > SHOWN:
        yield f"  and {len(surplus) - SHOWN} other records"
