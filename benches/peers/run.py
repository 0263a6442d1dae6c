#!/usr/bin/env python3
"""The same crawl by pagemill, Scrapy and a plain threaded script, side by side, over nginx on loopback.

Each peer fetches the same pages and writes `href` and first text of every link as JSON Lines. The peers take turns
(A B C A B C), their wall time, CPU time and peak memory are measured, and their records are compared: a difference is
printed, never hidden. Run by hand; it needs nginx, pip, and some minutes.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import nginx, pagemill  # noqa: E402
from harness.child import Usage, end_on_sigterm, run_measured  # noqa: E402
from harness.pages import made_page  # noqa: E402
from harness.records import Records, differences, read_records  # noqa: E402

PACKAGES = ("scrapy", "requests", "lxml")
PEERS = ("pagemill", "scrapy", "script")
TITLES = {"pagemill": "pagemill", "scrapy": "Scrapy", "script": "script"}
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Run:
    """One peer's crawl of one page's URLs."""

    usage: Usage
    records: Records


def main() -> int:
    options = read_arguments()
    end_on_sigterm()
    if nginx.program() is None:
        return refuse(nginx.HOW_TO_INSTALL)
    if "pagemill" in options.peers and (missing := pagemill.what_is_missing(options)):
        return refuse(missing)
    with tempfile.TemporaryDirectory(prefix="pagemill-peers-") as name:
        work = Path(name)
        python = peers_python(options.venv or work / "venv", options.peers)
        pages = pages_to_serve(options.page)
        print_machine(options, python)
        agreed = True
        with nginx.serving(work, {f"{number}.html": body for number, (_, body) in enumerate(pages)}) as base:
            for number, (title, _) in enumerate(pages):
                url = f"{base}/{number}.html?n={{page}}"
                runs = crawl_in_turns(options, python, url, work)
                print_table(title, options, runs)
                agreed &= print_agreement(options, runs)
    return 0 if agreed else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--page",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a saved HTML page to serve; repeatable (default: two made pages)",
    )
    parser.add_argument("--pages", type=int, default=500, metavar="N", help="URLs per crawl (default: 500)")
    parser.add_argument("--rounds", type=int, default=3, metavar="R", help="turns of each peer (default: 3)")
    pagemill.add_options(parser)
    parser.add_argument(
        "--peers",
        type=lambda text: text.split(","),
        default=list(PEERS),
        metavar="A,B",
        help=f"which of {','.join(PEERS)} to run (default: all)",
    )
    parser.add_argument(
        "--venv",
        type=Path,
        metavar="DIR",
        help="where the Python peers are, or will be, installed (default: anew in a temporary folder)",
    )
    parser.add_argument("--limit-seconds", type=float, default=300, help="for each single run (default: 300)")
    options = parser.parse_args()
    if not options.peers or set(options.peers) - set(PEERS):
        parser.error(f"--peers takes some of {','.join(PEERS)}")
    if options.pages < 1 or options.rounds < 1:
        parser.error("--pages and --rounds must be at least 1")
    for page in options.page:
        if not page.is_file():
            parser.error(f"--page {page}: no such file")
    return options


def refuse(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 2


def peers_python(folder: Path, peers: list[str]) -> Path:
    """The Python that has the peers' packages; made and filled if it does not have them yet."""
    python = folder / "bin/python"
    if not set(peers) & {"scrapy", "script"}:
        return Path(sys.executable)
    if not python.exists():
        try:
            venv.create(folder, with_pip=True)
        except subprocess.CalledProcessError as error:
            raise SystemExit("Python cannot make a venv with pip: `apt-get install python3-venv`") from error
    if subprocess.run([python, "-c", f"import {', '.join(PACKAGES)}"], capture_output=True).returncode != 0:
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        if subprocess.run(pip).returncode != 0:
            raise SystemExit("the Python peers could not be installed; see what pip says above")
    return python


def pages_to_serve(files: list[Path]) -> list[tuple[str, bytes]]:
    """Title and bytes of each page."""
    if files:
        return [(file.name, file.read_bytes()) for file in files]
    return [(f"made page, {links} links", made_page(links, size)) for links, size in ((173, 140_000), (849, 240_000))]


def print_machine(options: argparse.Namespace, python: Path) -> None:
    load = os.getloadavg()[0]
    print(f"{len(os.sched_getaffinity(0))} cores, load {load:.1f} before the start, {platform.platform(terse=True)}")
    versions = []
    if "pagemill" in options.peers:
        versions.append(output_of([options.pagemill, "--version"]))
    if python != Path(sys.executable):
        listed = "import sys, importlib.metadata as m; print(*(f'{p} {m.version(p)}' for p in sys.argv[1:]), sep=', ')"
        versions += [output_of([python, "-c", listed, *PACKAGES]), output_of([python, "--version"])]
    print("; ".join(versions), flush=True)


def output_of(command: list) -> str:
    """What a command for a version says; a peer that cannot say it shows its fault in its run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return f"{Path(command[0]).name} of unknown version"


def crawl_in_turns(options: argparse.Namespace, python: Path, url: str, work: Path) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {peer: [] for peer in options.peers}
    for peer in list(turns(options)):
        with tempfile.TemporaryDirectory(dir=work) as name:
            out, log = Path(name) / "out.jsonl", Path(name) / "log"
            usage = run_measured(command_of(peer, options, python, url, out), options.limit_seconds, log)
            if usage.fault:
                said = log.read_text(errors="replace")[-2000:]
                raise SystemExit(f"{TITLES[peer]}: {usage.fault}\n{said}")
            runs[peer].append(Run(usage, read_records(out)))
        print(f"  {TITLES[peer]}: {usage.wall_seconds:.2f} s", file=sys.stderr, flush=True)
    return runs


def turns(options: argparse.Namespace) -> Iterator[str]:
    for _ in range(options.rounds):
        yield from options.peers


def command_of(peer: str, options: argparse.Namespace, python: Path, url: str, out: Path) -> list[str]:
    if peer == "pagemill":
        return pagemill.crawl_of_links(options, url, options.pages, out)
    script = {"scrapy": "scrapy_links.py", "script": "threads_script.py"}[peer]
    return [str(python), str(HERE / script), url, str(options.pages), str(out)]


def print_table(title: str, options: argparse.Namespace, runs: dict[str, list[Run]]) -> None:
    print(f"\n### {title}: {options.pages} pages, median of {options.rounds}\n")
    print("| | wall | fastest to slowest | CPU (user + system) | peak memory | pages/s | records |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for peer, of_peer in runs.items():
        wall, cpu, peak = medians(of_peer)
        count = " / ".join(str(n) for n in sorted({run.records.count for run in of_peer}))
        walls = sorted(run.usage.wall_seconds for run in of_peer)
        spread = f"{walls[0]:.2f} to {walls[-1]:.2f} s"
        print(
            f"| {TITLES[peer]} | {wall:.2f} s | {spread} | {cpu:.2f} s | {peak / MEGABYTE:.0f} MB "
            f"| {options.pages / wall:.0f} | {count} |"
        )
    for peer in [peer for peer in runs if peer != "pagemill" and "pagemill" in runs]:
        pairs = zip(medians(runs[peer]), medians(runs["pagemill"]), strict=True)
        wall, cpu, peak = (f"{theirs / ours:.1f}" for theirs, ours in pairs)
        print(f"| **{TITLES[peer]} / pagemill** | **{wall}** | | {cpu} | {peak} | | |")
    print(flush=True)


def medians(runs: list[Run]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds, peak bytes."""
    used = [run.usage for run in runs]
    return median(u.wall_seconds for u in used), median(u.cpu_seconds for u in used), median(u.peak_bytes for u in used)


def print_agreement(options: argparse.Namespace, runs: dict[str, list[Run]]) -> bool:
    """Compares every run with the first one; true if all gave the same records, the order aside."""
    labelled = [(f"{TITLES[peer]}, round {n}", run.records) for peer, of in runs.items() for n, run in enumerate(of, 1)]
    reference_label, reference = labelled[0]
    agreed = True
    for label, records in labelled[1:]:
        for line in differences(reference_label, reference, label, records):
            agreed = False
            print(line)
    if agreed and reference.count:
        print(f"All {len(labelled)} runs gave the same {reference.count} records.")
    elif agreed:
        agreed = False
        print("No run gave any record: nothing was compared.")
    missing = reference.count % options.pages
    if missing:
        agreed = False
        print(f"{reference_label}: {reference.count} records are not a multiple of {options.pages} equal pages.")
    return agreed


if __name__ == "__main__":
    sys.exit(main())
