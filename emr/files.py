"""Finds FHIR files and reads their wanted resources, one file or one line in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from emr.fhir.documents import Entry, entries
from emr.fhir.errors import Damaged, Refused

_LINES = {".ndjson", ".jsonl"}
_SUFFIXES = {".json", *_LINES}
BATCH = 200


class NoSuchInput(Exception):
    """A path that leads to nothing that could be read."""


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and those with a FHIR suffix below the folders named, each once.

    Raises NoSuchInput for a path that does not exist and a folder without such files.
    """
    found: dict[Path, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_below(path) if path.is_dir() else [_file(path)]))
    return list(found)


def _below(folder: Path) -> list[Path]:
    files = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()
    )
    if not files:
        raise NoSuchInput(f"There are no .json, .ndjson or .jsonl files in {folder}.")
    return files


def _file(path: Path) -> Path:
    if not path.is_file():
        raise NoSuchInput(f"There is no file or folder {path}.")
    return path


def batches(
    path: Path, wanted: Collection[str], advance: Callable[[int], None]
) -> Iterator[list[Entry]]:
    """Yield the wanted resources of a file by at most BATCH; `advance` is told the bytes read.

    Raises Damaged, after all that could be read, for a file that is not wholly readable.
    """
    waiting: list[Entry] = []
    try:
        for entry in _read(path, wanted, advance):
            waiting.append(entry)
            if len(waiting) == BATCH:
                yield waiting
                waiting = []
    except Damaged:
        yield waiting
        raise
    yield waiting


def _read(path: Path, wanted: Collection[str], advance: Callable[[int], None]) -> Iterator[Entry]:
    try:
        if path.suffix.lower() in _LINES:
            yield from _read_lines(path, wanted, advance)
        else:
            text = path.read_text(encoding="utf-8-sig")
            yield from entries(text, wanted)
            advance(path.stat().st_size)
    except UnicodeDecodeError as error:
        raise Damaged("it is not UTF-8 text") from error
    except OSError as error:
        raise Damaged(f"it could not be opened ({error.strerror})") from error


def _read_lines(
    path: Path, wanted: Collection[str], advance: Callable[[int], None]
) -> Iterator[Entry]:
    """Yield the resources of a file with one JSON object a line; bad lines are bad records."""
    good = bad = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            advance(len(line))
            if not line.strip():
                continue
            try:
                yield from entries(line.decode("utf-8-sig"), wanted)
                good += 1
            except (Damaged, UnicodeDecodeError):
                bad += 1
                refusal = Refused("unreadable", "the line is not a FHIR resource in JSON")
                yield Entry(number=number, resource_type="", refusal=refusal)
    if bad and not good:
        raise Damaged("no line of it is a FHIR resource in JSON")
