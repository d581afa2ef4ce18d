"""A sealed text opens where it belongs, under its own key, unchanged; otherwise not at all."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patients.crypto import (
    BadKeys,
    Cipher,
    NotSealed,
    Ring,
    SealBroken,
    Tampered,
    UnknownKey,
    blind_index,
    derive,
    is_weak,
    parse_keys,
)

OLD, NEW = sha256(b"the old key").digest(), sha256(b"the new key").digest()
ROW = uuid4().bytes
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def name_cipher(**keys: bytes) -> Cipher:
    return Ring(keys or {"new": NEW}).cipher("patients.patient.given_name")


def encoded(key: bytes) -> str:
    return b64encode(key).decode()


@given(text=TEXT, row=st.uuids())
def test_any_text_comes_back_as_it_was(text: str, row: UUID) -> None:
    cipher = name_cipher()
    sealed = cipher.seal(text, row.bytes)
    assert cipher.open(sealed, row.bytes) == text
    assert sealed.isascii()


@given(text=st.text(st.characters(codec="ascii", categories=["L"]), min_size=4, max_size=60))
def test_nothing_of_the_text_shows_and_no_two_seals_are_alike(text: str) -> None:
    one, other = name_cipher().seal(text, ROW), name_cipher().seal(text, ROW)
    assert text not in one
    assert one != other


@pytest.mark.parametrize("length", [0, 1, 8, 31])
def test_short_values_are_all_as_long_as_each_other(length: int) -> None:
    assert len(name_cipher().seal("x" * length, ROW)) == len(name_cipher().seal("", ROW))


def test_every_flipped_bit_is_noticed() -> None:
    cipher = name_cipher(new=NEW, old=OLD)
    sealed = cipher.seal("Ada Moreno", ROW).encode()
    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            with pytest.raises(SealBroken):
                cipher.open(changed.decode("latin-1"), ROW)


def test_every_other_character_at_every_place_is_noticed() -> None:
    cipher = name_cipher()
    sealed = cipher.seal("Ada", ROW)
    for place in range(len(sealed)):
        for character in "A/z0=. \n~":
            changed = f"{sealed[:place]}{character}{sealed[place + 1 :]}"
            if changed != sealed:
                with pytest.raises(SealBroken):
                    cipher.open(changed, ROW)


@given(data=st.data())
@settings(max_examples=200)
def test_whatever_is_cut_or_added_is_noticed(data: st.DataObject) -> None:
    cipher = name_cipher()
    sealed = cipher.seal("Ada Moreno", ROW)
    end = data.draw(st.integers(0, len(sealed) - 1))
    more = data.draw(st.text(min_size=1, max_size=8))
    for changed in (sealed[:end], sealed + more, more + sealed, sealed[:end] + more + sealed[end:]):
        with pytest.raises(SealBroken):
            cipher.open(changed, ROW)


@given(text=TEXT)
def test_plain_text_is_never_taken_for_sealed(text: str) -> None:
    with pytest.raises(SealBroken):
        name_cipher().open(text, ROW)


def test_a_value_of_another_row_use_or_key_does_not_open() -> None:
    sealed = name_cipher().seal("Ada", ROW)
    with pytest.raises(Tampered):
        name_cipher().open(sealed, uuid4().bytes)
    with pytest.raises(Tampered):
        Ring({"new": NEW}).cipher("patients.patient.family_name").open(sealed, ROW)
    with pytest.raises(Tampered):
        name_cipher(new=OLD).open(sealed, ROW)


def test_another_format_and_an_unknown_key_are_told_apart() -> None:
    cipher = name_cipher(new=NEW, old=NEW)
    with pytest.raises(NotSealed):
        cipher.open(cipher.seal("Ada", ROW).replace("1.new.", "2.new.", 1), ROW)
    with pytest.raises(UnknownKey):
        name_cipher(old=OLD).open(cipher.seal("Ada", ROW), ROW)


def test_the_first_key_writes_and_all_read() -> None:
    before = name_cipher(old=OLD)
    during = name_cipher(new=NEW, old=OLD)
    assert during.open(before.seal("Ada", ROW), ROW) == "Ada"
    assert not during.is_current(before.seal("Ada", ROW))
    assert during.is_current(during.seal("Ada", ROW))
    assert name_cipher(new=NEW).open(during.seal("Ada", ROW), ROW) == "Ada"


def test_errors_say_nothing_of_value_or_key() -> None:
    sealed = name_cipher().seal("Ada Moreno", ROW)
    for cipher, text in ((name_cipher(new=OLD), sealed), (name_cipher(), "Ada Moreno")):
        with pytest.raises(SealBroken) as caught:
            cipher.open(text, ROW)
        words = f"{caught.value!r}"
        assert "Ada" not in words
        assert sealed[8:] not in words
        assert caught.value.__cause__ is None


def test_each_use_has_a_key_of_its_own() -> None:
    assert derive(NEW, "one") != derive(NEW, "other")
    assert derive(NEW, "one") != derive(OLD, "one")
    assert len(derive(NEW, "one")) == 32


def test_a_ring_shows_no_key() -> None:
    ring = Ring({"k1": NEW})
    assert repr(ring) == "<Ring of 1>"
    assert ring.ids == ("k1",)


def test_keys_are_read_in_order() -> None:
    keys = parse_keys(f"2026-b:{encoded(NEW)}, 2026-a:{encoded(OLD)}")
    assert list(keys.items()) == [("2026-b", NEW), ("2026-a", OLD)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k1",
        encoded(NEW),
        f"K1:{encoded(NEW)}",
        f"k.1:{encoded(NEW)}",
        f":{encoded(NEW)}",
        "k1:not base64!",
        f"k1:{encoded(NEW[:31])}",
        f"k1:{encoded(NEW + b'0')}",
        f"k1:{encoded(NEW)},",
        f"k1:{encoded(NEW)},k1:{encoded(OLD)}",
        f"k1:{encoded(NEW)},k2:{encoded(NEW)}",
    ],
)
def test_keys_that_cannot_be_used_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(BadKeys) as caught:
        parse_keys(text)
    assert encoded(NEW)[:8] not in str(caught.value)


def test_public_and_monotonous_keys_are_weak() -> None:
    assert is_weak(b"development-only-no-secret-00000")
    assert is_weak(bytes(32))
    assert is_weak(b"0123456789" * 3 + b"01")
    assert not is_weak(NEW)


def test_blind_indexes_differ_by_column_and_key() -> None:
    digest = blind_index(key="k" * 50, column="patients.email", value="a@b.example")
    assert len(digest) == 32
    assert digest == blind_index(key="k" * 50, column="patients.email", value="a@b.example")
    assert digest != blind_index(key="k" * 50, column="patients.phone", value="a@b.example")
    assert digest != blind_index(key="j" * 50, column="patients.email", value="a@b.example")
    assert blind_index(key="k" * 50, column="patients.email", value="") == b""
