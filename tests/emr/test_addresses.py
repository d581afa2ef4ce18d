"""Which addresses may be spoken to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr.addresses import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://emr.example/r4", ("https", "emr.example", 443)),
        ("HTTPS://EMR.example:8443/r4?a=b", ("https", "emr.example", 8443)),
        ("http://localhost:8000", ("http", "localhost", 8000)),
        ("http://[::1]:8000/", ("http", "::1", 8000)),
        ("http://127.0.0.1", ("http", "127.0.0.1", 80)),
    ],
)
def test_tls_anywhere_and_none_on_this_machine(url: str, origin: tuple[str, str, int]) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://emr.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example/",
        "https://evil.example\\@emr.example/",
        "https://emr.example:0/",
        "https://emr.example:99999/",
        "https://[::1",
        "https://émr.example/",
        "https://emr.example/a b",
        "https://emr.example/\n",
        "ftp://emr.example/",
        "file:///etc/passwd",
        "//emr.example",
        "https://",
        "https://" + "a" * 9_000,
        "",
    ],
)
def test_nothing_else(url: str) -> None:
    assert origin_of(url) is None


@given(st.text())
def test_any_text_is_an_origin_or_none(text: str) -> None:
    found = origin_of(text)
    assert found is None or found[0] in {"https", "http"}
