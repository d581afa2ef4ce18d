"""No cell of a file is run by a spreadsheet program."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.csv_files import csv_file, harmless

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", '=HYPERLINK("x")']


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_would_be_run_is_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ada Moreno", "2026-01-01", "1+1", "a=b", 7])
def test_what_would_not_be_is_left_alone(cell: object) -> None:
    assert harmless(cell) == str(cell)


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1)))
def test_a_file_has_the_cells_that_it_was_given(rows: list[list[str]]) -> None:
    text = csv_file("x", ["a"], rows).content.decode("utf-8-sig")
    if "\0" in text:
        return
    _heads, *read = list(csv.reader(io.StringIO(text, newline="")))
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]


def test_a_file_is_kept_and_not_shown() -> None:
    answer = csv_file("looks", ["Who"], [["Ada"]])
    assert answer["Content-Disposition"] == 'attachment; filename="looks.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert not answer.streaming
