"""What the staff's sign-in asks, and that it asks it once."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", ["account_login", "account_reset_password"])
def test_labels_alone_name_the_fields(client: Client, page: str) -> None:
    form = client.get(reverse(page)).content.decode().partition("<main")[2]
    assert "<label" in form
    assert "placeholder" not in form


def test_a_forgotten_password_is_asked_about_once(client: Client) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert page.count(reverse("account_reset_password")) == 1
