"""Reports that a spreadsheet opens as text, and tables that people read."""

from __future__ import annotations

from io import StringIO

from emr.findings import Finding, Tally, report_writer


def test_no_cell_of_a_report_is_a_formula() -> None:
    file = StringIO()
    tell = report_writer(file, as_csv=True)
    tell(Finding(1, 2, "Patient", "-1", "refused", "deceased", "=1+1"))
    assert file.getvalue().splitlines()[1] == "1,2,Patient,'-1,refused,deceased,'=1+1"


def test_the_table_counts_by_type_and_by_reason() -> None:
    tally = Tally()
    tally.outcomes["Patient", "new"] = 39
    tally.outcomes["", "refused"] = 1
    tally.reasons["", "refused", "the line is not JSON"] = 1
    lines = [line.split() for line in tally.table()]
    assert ["Patient", "39", "0", "0", "0", "0"] in lines
    assert ["unreadable", "0", "0", "0", "0", "1"] in lines
    assert lines[-2:] == [["Refused:"], ["1", "unreadable:", "the", "line", "is", "not", "JSON"]]
