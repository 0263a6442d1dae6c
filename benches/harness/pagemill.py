"""The one place that knows pagemill's command line and where its binary is."""

import argparse
import os
from pathlib import Path

BUILT = Path(__file__).resolve().parent.parent.parent / "target/release/pagemill"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Gives a script `--pagemill` and `--pagemill-arg`."""
    parser.add_argument("--pagemill", type=Path, default=BUILT, metavar="PATH", help="default: target/release/pagemill")
    parser.add_argument(
        "--pagemill-arg",
        action="append",
        default=[],
        metavar="ARG",
        help="one more argument for pagemill, e.g. --pagemill-arg=-j32; repeatable",
    )


def what_is_missing(options: argparse.Namespace) -> str | None:
    """What to do before there is a binary to measure; `None` if there is one."""
    if os.access(options.pagemill, os.X_OK):
        return None
    return f"no program at {options.pagemill}: run `cargo build --release`, or name one with --pagemill"


def crawl_of_links(options: argparse.Namespace, url: str, pages: int, out: Path) -> list[str]:
    """The command that writes `href` and first text of every link of pages 0 to `pages - 1`."""
    rules = ["-e", "//a", "-f", "href=./@href", "-f", "text=./text()"]
    crawl = [str(options.pagemill), "crawl", url, "-p", f"0-{pages - 1}", *rules, "-O", str(out), "-q"]
    return [*crawl, *options.pagemill_arg]
