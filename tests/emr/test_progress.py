"""A terminal sees a bar; a file or pipe sees plain lines, and none when it is quick."""

from __future__ import annotations

import time
from io import StringIO

from emr.management.progress import progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar() -> None:
    terminal = Terminal()
    with progress("Importing", total=100, stream=terminal) as advance:
        advance(100)
    assert "Importing" in terminal.getvalue()
    assert "\r" in terminal.getvalue()


def test_a_quick_run_says_nothing_to_a_file() -> None:
    file = StringIO()
    with progress("Importing", total=100, stream=file) as advance:
        advance(100)
    assert file.getvalue() == ""


def test_a_slow_run_says_how_far_it_is() -> None:
    file = StringIO()
    with progress("Importing", total=200, stream=file, pause=0.05) as advance:
        advance(50)
        time.sleep(0.06)
        advance(50)
        advance(50)
    assert file.getvalue() == "Importing: 50 %\n"
