"""Texts end to end in one string: each is found again, and nothing across their borders."""

from hypothesis import given
from hypothesis import strategies as st

from patients.name_index.lines import END, Lines

texts = st.lists(st.text("ab 王", max_size=5), max_size=12)
parts = st.text("ab 王", min_size=1, max_size=3)


@given(texts)
def test_each_text_stands_in_its_place(kept: list[str]) -> None:
    lines = Lines(kept)
    assert [lines[place] for place in range(len(lines))] == kept


@given(texts, parts)
def test_a_part_is_found_in_every_text_that_has_it(kept: list[str], part: str) -> None:
    lines = Lines(kept)
    assert list(lines.having(part)) == [at for at, text in enumerate(kept) if part in text]
    ends = [at for at, text in enumerate(kept) if text.endswith(part)]
    assert list(lines.having(part + END)) == ends


def test_no_part_reaches_from_one_text_into_the_next() -> None:
    lines = Lines(["12", "34"])
    assert list(lines.having("23")) == []
    assert list(lines.having("2" + END)) == [0]
