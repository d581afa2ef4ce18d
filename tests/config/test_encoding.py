"""Bodies are in UTF-8: any other encoding is a bad request, not an error of the server."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

LONE_SURROGATE = rb"ab\ud800@mail.example"


def post(charset: str) -> Any:
    part = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n%s\r\n--x--\r\n'
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    client = Client(raise_request_exception=False)
    return client.generic("POST", "/sign-in/", part % LONE_SURROGATE, kind)


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["raw_unicode_escape", "base64", "idna", "no-such-charset"])
def test_a_body_in_another_encoding_is_refused(charset: str) -> None:
    assert post(charset).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["utf-8", "UTF8"])
def test_a_body_that_says_utf8_is_read(charset: str) -> None:
    assert post(charset).status_code == 422


ADDRESSES = [
    "/admin/patients/patient/%00/change/",
    "/admin/auth/user/1%00/delete/",
    "/v/%00/",
    "/%00",
]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_with_a_nul_is_a_bad_request(address: str, admin_user: User) -> None:
    """No row of the audit could be written about it, and nothing on file is called so."""
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    assert client.get(address).status_code == 400
    assert client.get(address.replace("%00", "0")).status_code in {302, 403, 404}
