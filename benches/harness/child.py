"""Runs one child process under a time limit and measures what it used.

Every child is ended by its own pid, whatever happens here. Linux only: it reads /proc and waits on a pidfd.
"""

import os
import resource
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 5.0
"""How long a child has to end after SIGTERM before it gets SIGKILL."""


@dataclass(frozen=True)
class Usage:
    """What one finished child used."""

    exit_status: int
    """Its exit code; minus the signal's number if a signal ended it."""
    timed_out: bool
    """The time limit ended it, so the other numbers are those of an unfinished run."""
    wall_seconds: float
    cpu_seconds: float
    """User and system time, all threads."""
    peak_bytes: int
    """Highest resident set."""
    resident: tuple[tuple[float, int], ...]
    """The curve: seconds since the start, resident bytes."""

    @property
    def fault(self) -> str | None:
        """Why the run does not count; `None` if it ended well."""
        if self.timed_out:
            return f"not done after {self.wall_seconds:.0f} s"
        return f"exit status {self.exit_status}" if self.exit_status else None


def run_measured(command: list[str], limit_seconds: float, log: Path, sample_seconds: float = 0.02) -> Usage:
    """Runs `command` to its end or to the limit; both its streams go to `log`."""
    with log.open("wb") as log_file:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file)
        try:
            return _watch(child, started, limit_seconds, sample_seconds)
        finally:
            stop(child)


def _watch(child: subprocess.Popen, started: float, limit_seconds: float, sample_seconds: float) -> Usage:
    curve: list[tuple[float, int]] = []
    sampled_peak = 0
    timed_out = False
    pidfd = os.pidfd_open(child.pid)
    try:
        ended = select.poll()
        ended.register(pidfd, select.POLLIN)
        # The poll returns at the moment the child ends, so sampling does not blur the wall time.
        while not ended.poll(sample_seconds * 1000):
            now = time.perf_counter() - started
            resident, highest = _resident_bytes(child.pid)
            if resident:
                curve.append((now, resident))
                sampled_peak = max(sampled_peak, highest)
            if now > limit_seconds:
                timed_out = True
                os.kill(child.pid, signal.SIGKILL)
                ended.poll()
        wall = time.perf_counter() - started
    finally:
        os.close(pidfd)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        exit_status=child.returncode,
        timed_out=timed_out,
        wall_seconds=wall,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_bytes=max(sampled_peak, _trusted_maxrss(used)),
        resident=tuple(curve),
    )


def _trusted_maxrss(used: resource.struct_rusage) -> int:
    """The kernel's own peak of the child, or 0 where it may be ours.

    A child starts as a copy of this process and `ru_maxrss` outlives its exec, so a child smaller than this process
    would be charged with our size. Below that, the sampled `VmHWM` (which exec resets) is what can be trusted.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used.ru_maxrss * 1024 if used.ru_maxrss > own else 0


def _resident_bytes(pid: int) -> tuple[int, int]:
    """`VmRSS` and `VmHWM` of a process; zeros once it has ended.

    `Popen` returns after the exec, so this is never the copy of ourselves that came before it.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    sizes = dict(line.split(":", 1) for line in status.splitlines() if line.startswith(("VmRSS:", "VmHWM:")))
    return tuple(int(sizes.get(key, "0 kB").split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))


def stop(child: subprocess.Popen) -> None:
    """Ends a child by its pid and waits for it; does nothing if it has been waited for."""
    if child.returncode is not None:
        return
    child.terminate()
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def end_on_sigterm() -> None:
    """Makes SIGTERM unwind the script, so that every `finally` ends its child; Ctrl-C does so already."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
