"""Where messages may be handed over, and where not."""

from __future__ import annotations

import pytest

from reminders.channels.addresses import is_push_service, parted

HOSTS = ["push.example", "*.cloud.example"]


@pytest.mark.parametrize(
    "url",
    [
        "https://vendor.example",
        "https://vendor.example:8443/a?b",
        "http://127.0.0.1:80/",
        "http://[::1]/",
    ],
)
def test_an_address_may_be_spoken_to(url: str) -> None:
    assert parted(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "http://vendor.example",
        "HTTP://10.0.0.1",
        "//vendor.example",
        "https://ada:word@vendor.example",
        "https://@vendor.example",
        "https://vendor.example:0",
        "https://vendor.example:99999",
        "https://vendor.example\r\nHost: b.example",
        "https://vendor.example/a b",
        "https://vendör.example",
        "https://[vendor",
        "https://vendor.example/" + "a" * 1_000,
    ],
)
def test_an_address_may_not_be_spoken_to(url: str) -> None:
    assert parted(url) is None


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://push.example/1", True),
        ("https://push.example:443/1", True),
        ("https://a.cloud.example/1", True),
        ("https://a.b.cloud.example/1", True),
        ("https://PUSH.example/1", True),
        ("https://cloud.example/1", False),
        ("https://evilcloud.example/1", False),
        ("https://a.push.example/1", False),
        ("https://push.example.evil.example/1", False),
        ("https://push.example:8443/1", False),
        ("http://push.example/1", False),
        ("http://127.0.0.1/1", False),
    ],
)
def test_a_push_service_is_known_by_its_whole_name(url: str, *, known: bool) -> None:
    assert is_push_service(url, hosts=HOSTS) is known


def test_this_machine_is_a_push_service_only_where_it_is_named() -> None:
    assert is_push_service("http://127.0.0.1:8099/1", hosts=["127.0.0.1"])
    assert not is_push_service("http://localhost:8099/1", hosts=["127.0.0.1"])
