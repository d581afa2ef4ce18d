"""Decides that no process outlives the one that started it, however that one ended.

It refuses to know what the processes do. This file is also the small program that stands between
the two: on Linux it asks the kernel and becomes the command, elsewhere it stays and watches.
Standard library only, because that program starts without the project on its path.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_WATCH_SECONDS = 0.25
_NOT_FOUND = 127
# Loaded now: between a fork and what follows there must be no look-up.
_prctl: Callable[[int, int], int] | None = ctypes.CDLL(None).prctl if _LINUX else None


def start(
    argv: Sequence[str | Path],
    *,
    last_signal: signal.Signals,
    owner: tuple[int, int] | None = None,
    watch: bool = not _LINUX,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start `argv`; it receives `last_signal` when this process ends, SIGKILL included.

    Call it from a thread that lives as long as the process: on Linux the end of the starting
    thread counts as the parent's end. `owner` is the (user, group) to step down to from root;
    `options` are those of `subprocess.Popen`.
    """
    line: list[str | Path] = [sys.executable, "-I", "-S", __file__]
    line += ["--parent", str(os.getpid()), "--signal", str(int(last_signal))]
    if owner:
        line += ["--user", str(owner[0]), "--group", str(owner[1])]
    if watch:
        line += ["--watch"]
    return subprocess.Popen([*line, "--", *argv], **options)  # noqa: S603 - our own command line


def tie_to_parent(last_signal: signal.Signals) -> None:
    """Send `last_signal` to this process when the process that started it ends."""
    _tie(last_signal, os.getppid())


def tie_forks(last_signal: signal.Signals) -> None:
    """Tie every process that this one forks from now on, and theirs, to its own parent."""
    parent = os.getpid()

    def remember() -> None:
        nonlocal parent
        parent = os.getpid()

    os.register_at_fork(before=remember, after_in_child=lambda: _tie(last_signal, parent))


def _tie(last_signal: signal.Signals, parent: int) -> None:
    if _prctl is None:
        threading.Thread(target=_watch_own, args=(last_signal, parent), daemon=True).start()
        return
    _prctl(_PR_SET_PDEATHSIG, int(last_signal))
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), last_signal)


def _watch_own(last_signal: signal.Signals, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os.kill(os.getpid(), last_signal)


def _guard(command: list[str], last_signal: signal.Signals, parent: int) -> int:
    """Run `command`, pass signals on, end it with `last_signal` when `parent` is gone."""
    child = subprocess.Popen(command)  # noqa: S603 - our own command line

    def forward(number: int, _frame: object) -> None:
        child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, forward)
    while child.poll() is None:
        if os.getppid() != parent:
            child.send_signal(last_signal)
            break
        time.sleep(_WATCH_SECONDS)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _become(command: list[str], last_signal: signal.Signals, parent: int) -> None:
    _tie(last_signal, parent)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and exec would pass on
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - our own command line


def _main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("--parent", "--signal", "--user", "--group"):
        parser.add_argument(name, type=int)
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.user is not None:
        os.setgroups([])
        os.setgid(options.group)
        os.setuid(options.user)
    run = _guard if options.watch else _become
    try:
        return run(options.command, signal.Signals(options.signal), options.parent) or 0
    except OSError as error:
        print(f"{options.command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return _NOT_FOUND


if __name__ == "__main__":
    sys.exit(_main())
