"""A sealed stream comes back whole or not at all; each kind of damage has its name."""

from __future__ import annotations

import io
import secrets
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patients import sealed_stream as stream

KEY, OTHER = secrets.token_bytes(32), secrets.token_bytes(32)
RING = {"b1": KEY, "b0": OTHER}
CHUNK = stream.CHUNK
HEADER = len(stream.MAGIC) + 2 + len("b1") + 32 + 16


def sealed(plain: bytes, *, key_id: str = "b1", key: bytes = KEY) -> bytes:
    return b"".join(stream.seal([plain], key_id=key_id, key=key))


def opened(data: bytes, keys: dict[str, bytes] = RING) -> bytes:
    return b"".join(stream.unseal(io.BytesIO(data), keys=keys))


def chunks(data: bytes) -> list[bytes]:
    """Return the chunks of a sealed stream as they stand there, lengths included."""
    found, at = [], HEADER
    while at < len(data):
        length = int.from_bytes(data[at : at + 4]) & 0x7FFFFFFF
        found.append(data[at : at + 4 + length])
        at += 4 + length
    return found


@given(blocks=st.lists(st.binary(max_size=300)))
def test_any_blocks_come_back(blocks: list[bytes]) -> None:
    data = b"".join(stream.seal(blocks, key_id="b1", key=KEY))
    assert opened(data) == b"".join(blocks)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_lengths_around_a_chunk_come_back(size: int) -> None:
    plain = secrets.token_bytes(size)
    assert opened(sealed(plain)) == plain


def test_nothing_of_the_content_stands_there_and_equal_contents_look_unlike() -> None:
    plain = b"Rosa Delgado " * 1000
    first, second = sealed(plain), sealed(plain)
    assert b"Rosa" not in first
    assert not {first[at : at + 8] for at in range(HEADER, len(first) - 8, 8)} & {
        second[at : at + 8] for at in range(HEADER, len(second) - 8, 8)
    }


@given(data=st.data())
@settings(max_examples=300)
def test_every_flipped_bit_is_found(data: st.DataObject) -> None:
    whole = bytearray(sealed(b"a short message"))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(stream.StreamError):
        opened(bytes(whole))


def test_every_truncation_is_found() -> None:
    whole = sealed(b"a short message")
    for length in range(len(whole)):
        with pytest.raises((stream.Truncated, stream.NotSealed)):
            opened(whole[:length])


def test_a_stream_cut_between_two_chunks_is_truncated() -> None:
    whole = sealed(bytes(2 * CHUNK + 5))
    cut = whole[: -len(chunks(whole)[-1])]
    with pytest.raises(stream.Truncated, match="chunk 2"):
        opened(cut)


def test_chunks_that_changed_places_are_found() -> None:
    whole = sealed(bytes(3 * CHUNK + 5))
    first, second, *rest = chunks(whole)
    with pytest.raises(stream.Damaged, match="Chunk 0"):
        opened(whole[:HEADER] + second + first + b"".join(rest))


def test_a_chunk_left_out_or_given_twice_is_found() -> None:
    whole = sealed(bytes(3 * CHUNK + 5))
    parts = chunks(whole)
    with pytest.raises(stream.Damaged, match="Chunk 1"):
        opened(whole[:HEADER] + b"".join([parts[0], *parts[2:]]))
    with pytest.raises(stream.Damaged, match="Chunk 1"):
        opened(whole[:HEADER] + b"".join([parts[0], *parts]))


def test_a_chunk_of_another_stream_of_the_same_key_is_found() -> None:
    one, two = sealed(bytes(2 * CHUNK)), sealed(bytes(2 * CHUNK))
    with pytest.raises(stream.Damaged, match="Chunk 1"):
        opened(one[:HEADER] + chunks(one)[0] + chunks(two)[1])


def test_an_early_chunk_cannot_be_made_the_last() -> None:
    whole = bytearray(sealed(bytes(2 * CHUNK + 5)))
    whole[HEADER] |= 0x80
    with pytest.raises(stream.Damaged, match="Chunk 0"):
        opened(bytes(whole))


def test_something_added_at_the_end_is_found() -> None:
    with pytest.raises(stream.Damaged, match="added"):
        opened(sealed(b"message") + b"x")


def test_a_missing_key_a_wrong_key_and_another_file_have_their_names() -> None:
    whole = sealed(b"message")
    with pytest.raises(stream.UnknownKey, match="b1"):
        opened(whole, {"b0": OTHER})
    with pytest.raises(stream.WrongKey, match="b1"):
        opened(whole, {"b1": OTHER})
    with pytest.raises(stream.NotSealed):
        opened(b"PGDMP\x01 a plain dump of PostgreSQL")


def test_a_length_that_no_chunk_has_is_refused_before_it_is_read() -> None:
    whole = sealed(b"message")
    with pytest.raises(stream.Damaged, match="length"):
        opened(whole[:HEADER] + b"\x7f\xff\xff\xff" + b"x" * 100)


def test_memory_stays_at_a_few_chunks() -> None:
    def blocks() -> Iterator[bytes]:
        for _ in range(400):
            yield bytes(1 << 17)

    tracemalloc.start()
    total = sum(len(part) for part in stream.seal(blocks(), key_id="b1", key=KEY))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 400 << 17
    assert peak < 8 * CHUNK
