"""What a seal covers is unambiguous, and every bit of what is signed counts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from patients.chain import (
    ENTRY_BYTES,
    BadKey,
    Head,
    Place,
    SealKey,
    VerifyKeys,
    columns_digest,
    entry,
    place_of,
    unpacked,
)

HEAD = Head(
    number=3,
    previous="00" * 32,
    cluster=7,
    timeline=1,
    columns=columns_digest(["id", "role"]),
    through=Place(900, 41),
    first=12,
    rows=30,
    total=90,
    entries="11" * 32,
    sealed_at="2026-01-01T00:00:00.000000+00:00",
    key="2026",
)
OTHERS: dict[str, Any] = {
    "number": 4,
    "previous": "01" * 32,
    "cluster": 8,
    "timeline": 2,
    "columns": columns_digest(["id", "rol", "e"]),
    "through": Place(41, 900),
    "first": 13,
    "rows": 31,
    "total": 91,
    "entries": "12" * 32,
    "sealed_at": "2026-01-01T00:00:00.000001+00:00",
    "key": "2027",
}


@pytest.fixture(scope="module")
def key() -> SealKey:
    return SealKey("2026", Ed25519PrivateKey.generate())


@pytest.mark.parametrize("field", OTHERS)
def test_every_field_of_a_head_is_signed(field: str, key: SealKey) -> None:
    assert set(OTHERS) == set(Head.__dataclass_fields__)
    trusted = VerifyKeys.parse([key.public()])
    signature = key.sign(HEAD.canonical())
    other: Head = replace(HEAD, **{field: OTHERS[field]})
    assert trusted.confirm("2026", signature, HEAD.canonical())
    assert not trusted.confirm("2026", signature, other.canonical())
    assert other.digest() != HEAD.digest()


def test_a_signature_counts_under_its_own_name_only(key: SealKey) -> None:
    other = SealKey("2027", Ed25519PrivateKey.generate())
    trusted = VerifyKeys.parse([key.public(), other.public()])
    signature = key.sign(b"message")
    assert trusted.confirm("2026", signature, b"message")
    assert not trusted.confirm("2027", signature, b"message")
    assert not trusted.confirm("2028", signature, b"message")
    assert not trusted.confirm("2026", signature[:-1], b"message")


def test_a_seal_is_no_signature_for_another_purpose(key: SealKey) -> None:
    signature = key.sign(b"message")
    raw = key.private.sign(b"message")
    assert signature != raw


@pytest.mark.parametrize(
    "text", ["", "2026", "2026:", "2026:xyz", ":AAAA", "a b:" + "A" * 43 + "=", "a:" + "A" * 40]
)
def test_a_key_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    for parse in (SealKey.parse, lambda one: VerifyKeys.parse([one])):
        with pytest.raises(BadKey) as refused:
            parse(text)
        secret = text.partition(":")[2]
        assert not secret or secret not in str(refused.value)


def test_an_entry_can_be_computed_again_with_sha256sum() -> None:
    line = b"258\t9001\t77\tRECEPTIONIST\t\\N"
    rest = hashlib.sha256(b"9001\t77\tRECEPTIONIST\t\\N").digest()
    assert entry(line) == (258).to_bytes(8, "big") + rest[:24]
    assert len(entry(line)) == ENTRY_BYTES
    assert place_of(line) == Place(9001, 258)


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=9)), max_size=9))
def test_entries_come_apart_as_they_were_put_together(rows: list[tuple[int, bytes]]) -> None:
    blob = b"".join(entry(str(row).encode() + b"\t" + rest) for row, rest in rows)
    assert [row for row, _ in unpacked(blob)] == [row for row, _ in rows]
    assert unpacked(blob + b"cut off") == unpacked(blob)


@given(st.integers(0, 2**62), st.integers(-(2**62), 2**62))
def test_a_head_is_read_back_as_it_was_written(transaction: int, row: int) -> None:
    head = replace(HEAD, through=Place(transaction, row))
    fields = {"format": 1, **{n: getattr(head, n) for n in OTHERS}}
    fields["through"] = {"transaction": transaction, "row": row}
    assert Head.read(fields) == head


def test_a_head_of_a_format_to_come_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="format"):
        Head.read({"format": 2})
