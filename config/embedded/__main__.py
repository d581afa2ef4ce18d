"""`python -m config.embedded run -- COMMAND`: the command with a DATABASE_URL of its own."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from config import lifeline
from config.embedded.cluster import server
from config.embedded.errors import EmbeddedError
from config.progress import step


def main(arguments: Sequence[str]) -> int:
    """Return the command's exit status, or 128 + the number of the signal that ended it."""
    options = _parser().parse_args(arguments)
    command: list[str] = options.command
    if options.die_with_parent:
        lifeline.tie_to_parent(signal.SIGTERM)
    if os.environ.get("DATABASE_URL"):
        os.execvp(command[0], command)  # noqa: S606 - the caller's own command
    signal.signal(signal.SIGTERM, _leave)
    try:
        return _run(command, options)
    except EmbeddedError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command line's answer
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    run = parser.add_subparsers(required=True).add_parser("run", help="run COMMAND with a database")
    run.add_argument("--data", type=Path, help="keep the data in this directory, durably")
    run.add_argument("--durable", action="store_true", help="wait for the disk at each commit")
    run.add_argument("--binaries", type=Path, help="the directory of postgres and initdb")
    run.add_argument("--die-with-parent", action="store_true", help="end when our starter ends")
    run.add_argument("command", nargs="+")
    return parser


def _run(command: list[str], options: argparse.Namespace) -> int:
    durable = options.durable or options.data is not None
    with ExitStack() as stack:
        with step("Starting PostgreSQL"):
            wanted = server(options.data, durable=durable, binaries=options.binaries)
            url = stack.enter_context(wanted)
        return _with_url(command, url)


def _with_url(command: list[str], url: str) -> int:
    child = lifeline.start(
        command, last_signal=signal.SIGTERM, env=os.environ | {"DATABASE_URL": url}
    )

    def forward(number: int, _frame: object) -> None:
        if not (number == signal.SIGINT and _in_terminal_foreground()):
            child.send_signal(number)

    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, forward)
        code = child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
    return code if code >= 0 else 128 - code


def _in_terminal_foreground() -> bool:
    """Tell whether a Ctrl-C reached the command too, from the terminal itself."""
    return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
