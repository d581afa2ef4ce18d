"""Which files are read, in what order, and how lines are told from documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from emr.fhir.documents import Entry
from emr.fhir.errors import Damaged
from emr.files import BATCH, NoSuchInput, batches, find_files

PATIENT = '{"resourceType": "Patient", "id": "p1"}'


def read(path: Path) -> list[Entry]:
    return [e for batch in batches(path, {"Patient"}, lambda _count: None) for e in batch]


def test_a_folder_is_read_through_in_order_and_each_file_once(tmp_path: Path) -> None:
    names = ["b.json", "a.NDJSON", "deep/c.jsonl", "notes.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PATIENT)
    found = find_files([tmp_path, tmp_path / "b.json", tmp_path / "notes.txt"])
    assert [file.name for file in found] == ["a.NDJSON", "b.json", "c.jsonl", "notes.txt"]


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchInput, match="missing"):
        find_files([tmp_path / "missing"])
    with pytest.raises(NoSuchInput, match=r"no \.json"):
        find_files([tmp_path])


def test_lines_are_documents_and_a_bad_line_is_a_bad_record(tmp_path: Path) -> None:
    path = tmp_path / "p.ndjson"
    path.write_bytes(f"{PATIENT}\n\nnonsense\n".encode() + b"\xff\n" + PATIENT.encode())
    entries = read(path)
    assert [entry.resource.get("id") for entry in entries] == ["p1", None, None, "p1"]
    assert [entry.number for entry in entries if entry.refusal] == [3, 4]


def test_a_file_of_bad_lines_only_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "p.ndjson"
    path.write_text("nonsense\nnonsense\n")
    with pytest.raises(Damaged):
        read(path)


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(PATIENT, encoding="utf-8-sig")
    assert len(read(path)) == 1


def test_what_is_not_utf_8_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(PATIENT.encode("utf-16"))
    with pytest.raises(Damaged, match="UTF-8"):
        read(path)


def test_entries_come_in_batches_and_all_bytes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "p.ndjson"
    told: list[int] = []
    path.write_text(f"{PATIENT}\n" * (BATCH + 1))
    sizes = [len(batch) for batch in batches(path, {"Patient"}, told.append)]
    assert sizes == [BATCH, 1]
    assert sum(told) == path.stat().st_size
