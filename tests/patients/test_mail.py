"""One message: its words are made here, its headers cannot be."""

from __future__ import annotations

from typing import Any

from django.core import mail

from patients.mail import send_mail


def test_a_name_in_the_subject_begins_no_header_of_its_own(settings: Any) -> None:
    settings.SITE_NAME = "Riverside\r\nBcc: all@mail.example"
    send_mail(kind="new_password", to="ada@mail.example", language="en", context={"url": "-"})
    (sent,) = mail.outbox
    assert sent.subject.startswith("Riverside Bcc: all@mail.example")
    assert sent.recipients() == ["ada@mail.example"]
    assert "Bcc" not in sent.message()
