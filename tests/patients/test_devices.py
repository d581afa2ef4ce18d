"""A User-Agent header in plain words."""

from __future__ import annotations

import pytest

from patients.devices import browser_name, device_name


@pytest.mark.parametrize(
    ("user_agent", "browser", "device"),
    [
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/126.0.0.0 Safari/537.36"
            ),
            "Chrome",
            "Windows",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"
            ),
            "Edge",
            "Windows",
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
                "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
            ),
            "Safari",
            "iPhone",
        ),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
            "Firefox",
            "Linux",
        ),
        ("<script>alert(1)</script>", "", ""),
        ("", "", ""),
    ],
)
def test_browser_and_device_are_named(user_agent: str, browser: str, device: str) -> None:
    assert (browser_name(user_agent), device_name(user_agent)) == (browser, device)
