"""Messages found in a stream, however it is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr.hl7v2.framing import FrameTooLong, Unframer, framed

PLAIN = st.binary(max_size=40).map(lambda raw: raw.translate(None, b"\x0b\x1c"))


@given(messages=st.lists(PLAIN, max_size=4), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_messages_come_out_as_they_went_in_wherever_the_stream_is_cut(
    messages: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(framed(message) for message in messages)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    frames = Unframer()
    found = [
        message for start, end in pairwise(places) for message in frames.feed(stream[start:end])
    ]
    assert found == messages
    assert not frames.is_inside


def test_a_stream_that_comes_byte_by_byte_is_read() -> None:
    frames = Unframer()
    stream = framed(b"MSH|1") + framed(b"MSH|2")
    assert [one for at in range(len(stream)) for one in frames.feed(stream[at : at + 1])] == [
        b"MSH|1",
        b"MSH|2",
    ]


def test_two_in_one_piece_are_two() -> None:
    assert Unframer().feed(framed(b"a") + framed(b"b")) == [b"a", b"b"]


def test_what_stands_between_frames_is_passed_over() -> None:
    assert Unframer().feed(b"\r\nhello" + framed(b"a") + b"\n\n" + framed(b"b")) == [b"a", b"b"]


def test_an_end_without_a_carriage_return_is_an_end() -> None:
    assert Unframer().feed(b"\x0ba\x1c\x0bb\x1c") == [b"a", b"b"]


def test_a_frame_cut_short_by_the_next_is_given_up() -> None:
    assert Unframer().feed(b"\x0bhalf" + framed(b"whole")) == [b"whole"]
    frames = Unframer()
    assert frames.feed(b"\x0bhalf") == []
    assert frames.feed(framed(b"whole")) == [b"whole"]


def test_a_frame_that_has_begun_is_known() -> None:
    frames = Unframer()
    frames.feed(b"\x0bMSH")
    assert frames.is_inside
    frames.feed(b"|\x1c\r")
    assert not frames.is_inside


@pytest.mark.parametrize("pieces", [[b"\x0b" + b"x" * 101], [b"\x0b", b"x" * 60, b"x" * 60]])
def test_one_that_is_too_long_is_refused_with_its_beginning(pieces: list[bytes]) -> None:
    frames = Unframer(longest=100)
    with pytest.raises(FrameTooLong) as refused:
        [frames.feed(piece) for piece in pieces]
    assert refused.value.head.startswith(b"xxx")


def test_one_of_just_the_longest_is_taken() -> None:
    assert Unframer(longest=100).feed(framed(b"x" * 100)) == [b"x" * 100]
