"""The address that limits and the record count by: named by trusted proxies or by nobody."""

from __future__ import annotations

import ipaddress

import pytest
from django.test import RequestFactory, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from patients.client_address import NOWHERE, client_address

NEIGHBOUR = "10.0.0.1"


def seen(header: str, *, neighbour: str = NEIGHBOUR) -> str:
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=header, REMOTE_ADDR=neighbour)
    return client_address(request)


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "6.6.6.6", NEIGHBOUR),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9", "6.6.6.6"),
        (2, "9.9.9.9, 6.6.6.6, 203.0.113.9", "6.6.6.6"),
        (2, "203.0.113.9", NEIGHBOUR),
        (1, "", NEIGHBOUR),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "2001:0db8:0::1", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "unknown", NEIGHBOUR),
        (1, "203.0.113.9\r\nX: y", NEIGHBOUR),
        (1, "203.0.113.9\0", NEIGHBOUR),
        (1, "[]:1", NEIGHBOUR),
        (1, ",", NEIGHBOUR),
        (1, "1" * 4096, NEIGHBOUR),
        (1, "6.6.6.6," * 500 + "203.0.113.9", "203.0.113.9"),
        (1, "999.1.1.1", NEIGHBOUR),
    ],
)
def test_only_trusted_proxies_name_the_client(proxies: int, header: str, address: str) -> None:
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
        assert seen(header) == address


@pytest.mark.parametrize("neighbour", ["", "unix:", "not an address"])
def test_a_connection_without_an_address_is_from_nowhere(neighbour: str) -> None:
    assert seen("", neighbour=neighbour) == NOWHERE


@given(header=st.text(max_size=200), neighbour=st.text(max_size=80), proxies=st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_nothing_that_can_be_written_raises(header: str, neighbour: str, proxies: int) -> None:
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=header, REMOTE_ADDR=neighbour)
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
        assert str(ipaddress.ip_address(client_address(request)))
