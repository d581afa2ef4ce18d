"""Decides how several processes live and end as one; it refuses to know what they do."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from config import lifeline

_KEPT_LINES = 15
_LOOK_SECONDS = 0.2


class ChildEnded(RuntimeError):
    """A process ended unasked; `str(error)` names it and repeats its last lines."""


@dataclass
class Child:
    """One process, the beginning of its unfinished line and its last lines."""

    name: str
    process: subprocess.Popen[bytes]
    unfinished: bytes = b""
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))


class Supervisor:
    """Starts processes, repeats what they say under their names, and ends them together.

    Used as a context manager; leaving it stops every process, in reverse order of starting. They
    are killed if this process is. `patience` is the seconds a process has to stop by itself.
    """

    def __init__(self, output: TextIO, *, patience: float = 10.0) -> None:
        self._patience = patience
        self._output = output
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Start `argv` in a session of its own, so that a Ctrl-C reaches it through us only."""
        process = lifeline.start(
            argv,
            last_signal=signal.SIGKILL,
            env=env,
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        child = Child(name, process)
        self._children.append(child)
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
            self._selector.register(process.stdout, selectors.EVENT_READ, child)

    def look(self) -> None:
        """Repeat what was said, waiting a moment for it. Raises ChildEnded when one has ended."""
        self._listen()
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                self._listen()
                lines = "\n".join(f"  {line}" for line in child.last_lines)
                raise ChildEnded(f"{child.name} ended with status {code}. Its last lines:\n{lines}")

    def stop(self) -> None:
        """End all processes: politely, and by force those that need longer than `patience`."""
        for child in reversed(self._children):
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + self._patience
        while self._any_alive() and time.monotonic() < deadline:
            self._listen()
        for child in self._children:
            if child.process.poll() is None:
                child.process.kill()
            child.process.wait()
        self._listen()
        for child in self._children:
            if child.process.stdout is not None:
                child.process.stdout.close()
        self._selector.close()

    def _any_alive(self) -> bool:
        return any(child.process.poll() is None for child in self._children)

    def _listen(self) -> None:
        if not self._selector.get_map():
            time.sleep(_LOOK_SECONDS)
        for key, _events in self._selector.select(_LOOK_SECONDS):
            said = os.read(key.fd, 65_536)
            if not said:
                self._selector.unregister(key.fileobj)
            self._repeat(key.data, said)

    def _repeat(self, child: Child, said: bytes) -> None:
        *lines, child.unfinished = (child.unfinished + said).split(b"\n")
        if not said and child.unfinished:
            lines, child.unfinished = [child.unfinished], b""
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            child.last_lines.append(text)
            self._output.write(f"{child.name:>6} | {text}\n")
        self._output.flush()
