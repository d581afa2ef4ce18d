"""The ways for development and tests: a terminal, a directory, and this process's memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from reminders.channels.base import CannotLook, Outgoing, TryLater, Way
from reminders.channels.console import Console
from reminders.channels.file import File, written
from reminders.channels.memory import Memory, outbox
from reminders.kinds import Channel, State

TEXT = Outgoing(to="+12125550134", text="Your visit: ñ", marker="0190-1", url="https://x.example/")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DIGEST = sha256(TEXT.text.encode()).digest()


def test_a_terminal_shows_the_whole_message(capsys: pytest.CaptureFixture[str]) -> None:
    receipt = Console(Channel.SMS).send(TEXT)
    shown = capsys.readouterr().out
    assert shown.splitlines()[:3] == [
        "SMS to +12125550134",
        "https://x.example/",
        "Your visit: ñ",
    ]
    assert (receipt.vendor_id, receipt.state) == ("0190-1", State.DELIVERED)
    with pytest.raises(CannotLook):
        Console(Channel.SMS).find(to=TEXT.to, digest=DIGEST, since=LONG_AGO)


def test_a_terminal_shows_one_message_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    way = Console(Channel.SMS)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(way.send, [TEXT] * 50))
    assert capsys.readouterr().out.count("SMS to +12125550134\nhttps://x.example/\nYour") == 50


@pytest.fixture
def directory(settings: Any, tmp_path: Path) -> Path:
    settings.MESSAGE_DIRECTORY = tmp_path / "messages"
    return tmp_path / "messages"


def test_a_file_holds_one_message_for_its_owner_alone(directory: Path) -> None:
    File(Channel.SMS).send(TEXT)
    (file,) = directory.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("0190-1.json", 0o600)
    assert directory.stat().st_mode & 0o777 == 0o700
    (line,) = written(directory)
    assert (line["to"], line["text"], line["channel"]) == (TEXT.to, TEXT.text, "SMS")


def test_a_delivery_is_written_once(directory: Path) -> None:
    way = File(Channel.SMS)
    assert way.send(TEXT) == way.send(TEXT)
    assert len(written(directory)) == 1


def test_a_full_disk_is_tried_again_later(directory: Path) -> None:
    directory.write_text("no directory")
    with pytest.raises(TryLater):
        File(Channel.SMS).send(TEXT)


@pytest.mark.parametrize("kind", [File, Memory])
def test_what_was_sent_is_found(kind: type[File | Memory], directory: Path) -> None:
    way: Way = kind(Channel.SMS)
    assert way.find(to=TEXT.to, digest=DIGEST, since=LONG_AGO) is None
    way.send(TEXT)
    found = way.find(to=TEXT.to, digest=DIGEST, since=LONG_AGO)
    assert found is not None
    assert found.vendor_id == "0190-1"
    assert way.find(to="+12125550135", digest=DIGEST, since=LONG_AGO) is None
    assert way.find(to=TEXT.to, digest=bytes(32), since=LONG_AGO) is None
    later = datetime.now(UTC) + timedelta(hours=1)
    assert way.find(to=TEXT.to, digest=DIGEST, since=later) is None


def test_memory_is_empty_for_each_test() -> None:
    assert outbox == []
    Memory(Channel.PUSH).send(TEXT)
    assert [(kept.channel, kept.message) for kept in outbox] == [(Channel.PUSH, TEXT)]
