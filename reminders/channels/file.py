"""Writes each message to a file of its own in MESSAGE_DIRECTORY, for demos and for tries of whole
processes. The files are readable by their owner only, and no clinic's server may use them."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings

from reminders.channels.base import Outgoing, Receipt, TryLater
from reminders.kinds import Channel, State


class File:
    """One JSON file a message, named by its marker; the same marker is written once."""

    vendor = "file"
    reports = False

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.directory = Path(settings.MESSAGE_DIRECTORY)

    def send(self, message: Outgoing) -> Receipt:
        """Write one message, unless it was written before. Raises TryLater where the disk takes
        nothing."""
        line = {
            "at": datetime.now(UTC).isoformat(),
            "channel": str(self.channel),
            "marker": message.marker,
            "subject": message.subject,
            "text": message.text,
            "to": message.to,
            "url": message.url,
        }
        try:
            self._write(f"{message.marker}.json", json.dumps(line, ensure_ascii=False))
        except OSError as error:
            raise TryLater(type(error).__name__) from None
        return Receipt(message.marker, State.DELIVERED)

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Return what was written, by its recipient and the SHA-256 of its text."""
        for line in written(self.directory):
            same = line["to"] == to and sha256(line["text"].encode()).digest() == digest
            if same and datetime.fromisoformat(line["at"]) >= since:
                return Receipt(line["marker"], State.DELIVERED)
        return None

    def _write(self, name: str, text: str) -> None:
        """Let the whole file appear at once: what is found was written to its end."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.directory / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        with suppress(FileExistsError):  # the same delivery again
            os.link(draft, self.directory / name)
        draft.unlink()


def written(directory: Path) -> list[dict[str, Any]]:
    """Return all messages of a directory, the oldest first."""
    lines = [json.loads(file.read_text("utf-8")) for file in directory.glob("*.json")]
    return sorted(lines, key=lambda line: str(line["at"]))
