"""What tests of pages ask: what a form carries hidden, and how many questions a page costs."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.answers import Answer
from tests.page_forms import forms_in


def hidden(answer: Answer, *, named: str = "seen") -> dict[str, str]:
    """Return what the page's own form sends. Raises StopIteration where there is none."""
    return next(form.data() for form in forms_in(answer.content.decode()) if named in form.fields)


def cost(client: Client, address: str) -> int:
    """Return how many statements a page costs once the menu's counts are known."""
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    return len(asked)
