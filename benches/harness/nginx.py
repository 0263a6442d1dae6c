"""nginx on a free loopback port, in the foreground, with its own configuration in a temporary folder.

It is a server that costs little beside what is measured. Nothing of the machine's own nginx is read or changed.
"""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from harness.child import stop

START_SECONDS = 10.0
"""How long nginx has to answer on its port."""

HOW_TO_INSTALL = "nginx is missing: install it with `apt-get install nginx-light` (or your system's package)"

CONFIGURATION = """\
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type text/html;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/tmp-body;
    proxy_temp_path {folder}/tmp-proxy;
    fastcgi_temp_path {folder}/tmp-fastcgi;
    uwsgi_temp_path {folder}/tmp-uwsgi;
    scgi_temp_path {folder}/tmp-scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {folder}/www;
        location = /robots.txt {{ return 404; }}
    }}
}}
"""


def program() -> str | None:
    """Where nginx is; Debian keeps it in /usr/sbin, which is not on every user's path."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def serving(folder: Path, pages: dict[str, bytes]) -> Iterator[str]:
    """Serves `pages` (file name to bytes) out of `folder`, and gives the URL they lie under, without a final slash.

    The query of a request is ignored, so `/page.html?n=7` is one of any number of URLs of one page.
    """
    nginx = program()
    if nginx is None:
        raise SystemExit(HOW_TO_INSTALL)
    _lay_out(folder, pages)
    port = _free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    command = [nginx, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(configuration)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(server, port, folder / "error.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(server)


def _lay_out(folder: Path, pages: dict[str, bytes]) -> None:
    # Started by root, nginx hands its workers to an unprivileged user, who must be able to read the pages.
    folder.chmod(0o755)
    www = folder / "www"
    www.mkdir()
    for name, body in pages.items():
        (www / name).write_bytes(body)


def _free_port() -> int:
    # Another process may take the port before nginx does; then nginx says so and the run stops.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(server: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"nginx did not start: {log.read_text().strip()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise SystemExit(f"nginx did not answer on port {port} within {START_SECONDS:.0f} s")
