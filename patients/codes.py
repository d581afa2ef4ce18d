"""One-time codes: who controls a contact is who can read what was sent to it.

A row is written for every request, known contact or not, and everything that differs happens in
the worker; the code itself is made there, and stands in no queue and no table.

Used by sign-in and by anonymous bookings:
    request_code(purpose=, contact=, browser=, network=, now=) -> UUID    keep it in the session
    redeem(purpose=, code_id=, browser=, code=, now=, contact="") -> OneTimeCode
The worker's part is `make`, then `sent`; who carries the message is named in settings.
`browser` and `network` come from `patients.visitors`. Refusals: `CodeRefused` (its `str()` may be
shown; `can_try_again` says whether the same code may be typed again) and `TooManyRequests` (429).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from patients.contacts import column_of
from patients.indexes import contact_indexes
from patients.models import OneTimeCode, Patient
from patients.throttle import Limit, TooManyRequests

DIGITS = 8
LIFETIME = timedelta(minutes=10)
MOST_TRIES = 5
MOST_PER_CONTACT = 5
CONTACT_WINDOW = timedelta(minutes=15)
KEPT = timedelta(days=1)
BY_NETWORK = Limit("code", times=20)
Purpose = OneTimeCode.Purpose
CHANNELS = {"email": OneTimeCode.Channel.EMAIL, "phone": OneTimeCode.Channel.SMS}


class CodeRefused(Exception):
    """A code that opens nothing. Says no more about the contact than the code's own page does."""

    can_try_again = False


class WrongCode(CodeRefused):
    """Not the code that was sent; a few tries are left."""

    can_try_again = True

    def __str__(self) -> str:
        return _("This is not the code in the message. Check it and type it again.")


class CodeEnded(CodeRefused):
    """The code is too old, was used, was typed wrong too often, or belongs to another browser."""

    def __str__(self) -> str:
        return _("This code can no longer be used. Ask for a new one.")


def request_code(
    *, purpose: OneTimeCode.Purpose, contact: str, browser: str, network: str, now: datetime
) -> UUID:
    """Have a code sent to a normalised e-mail address or telephone number; return the id under
    which it is redeemed.

    At most 5 in 15 minutes for one contact and 20 for one network. A sign-in code is sent only
    to a contact that a patient has on file, which the caller cannot tell. Raises TooManyRequests.
    """
    BY_NETWORK.spend(network)
    column = column_of(contact)
    index, *former = contact_indexes(column, contact)
    with transaction.atomic():
        _check_contact(index, now=now)
        code = OneTimeCode.objects.create(
            purpose=purpose,
            contact=contact,
            channel=CHANNELS[column],
            contact_index=index,
            contact_index_old=former[0] if former else b"",
            browser_digest=bytes.fromhex(browser),
            expires_at=now + LIFETIME,
        )
        for path in settings.CODE_HANDLERS:
            _handler(path)(code, language=get_language() or "")
    return code.pk


class Handler(Protocol):
    def __call__(self, code: OneTimeCode, *, language: str) -> None: ...


@lru_cache(maxsize=4)
def _handler(path: str) -> Handler:
    handler: Handler = import_string(path)
    return handler


def _check_contact(index: bytes, *, now: datetime) -> None:
    """Raise TooManyRequests beyond five; requests for one contact are counted one by one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [index.hex()])
    asked_since = now - CONTACT_WINDOW
    recent = OneTimeCode.objects.filter(contact_index=index, expires_at__gt=asked_since + LIFETIME)
    if recent.count() >= MOST_PER_CONTACT:
        raise TooManyRequests


def make(row: OneTimeCode) -> str | None:
    """Make the code of a row and keep its digest: the worker's part. Return it as it is shown.

    None where a code would open nothing: too late, used, sent already, or nobody's contact. One
    that was made before and did not leave is replaced.
    """
    fresh = OneTimeCode.objects.filter(pk=row.pk, used_at=None, expires_at__gt=timezone.now())
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    can_open = row.contact and _is_wanted(row)
    if not can_open or not fresh.update(code_digest=_digest(row, code)):
        sent(row)
        return None
    return f"{code[:4]} {code[4:]}"


def sent(row: OneTimeCode) -> None:
    """Forget where the code went, or was not sent to after all."""
    row.contact = ""
    row.save(update_fields=["contact"])


def _is_wanted(row: OneTimeCode) -> bool:
    """Whether a code for this contact could open anything."""
    if row.purpose == Purpose.BOOKING:
        return True
    column = "email_index" if row.channel == OneTimeCode.Channel.EMAIL else "phone_index"
    wanted = {f"{column}__in": row.contact_indexes}
    return Patient.objects.filter(merged_into=None, **wanted).exists()


def redeem(
    *,
    purpose: OneTimeCode.Purpose,
    code_id: UUID | str,
    browser: str,
    code: str,
    now: datetime,
    contact: str = "",
) -> OneTimeCode:
    """Use a code up and return its row, whose `contact_index` is now proven.

    Spaces and dashes in `code` do not count. With `contact` (normalised) the code must have
    been sent there. The try is counted before the code is looked at, so that tries at the
    same time cannot exceed five. Raises WrongCode or CodeEnded.
    """
    row = OneTimeCode.objects.filter(
        pk=code_id, purpose=purpose, browser_digest=bytes.fromhex(browser)
    ).first()
    if row is None or (contact and not _went_to(contact, row)):
        raise CodeEnded
    live = OneTimeCode.objects.filter(
        pk=row.pk, used_at=None, expires_at__gt=now, wrong_tries__lt=MOST_TRIES
    )
    if not live.update(wrong_tries=F("wrong_tries") + 1):
        raise CodeEnded
    typed = _digest(row, "".join(code.split()).replace("-", ""))
    if not constant_time_compare(bytes(row.code_digest).hex(), typed.hex()):
        raise WrongCode if row.wrong_tries + 1 < MOST_TRIES else CodeEnded
    if not OneTimeCode.objects.filter(pk=row.pk, used_at=None).update(used_at=now):
        raise CodeEnded
    return row


def _went_to(contact: str, row: OneTimeCode) -> bool:
    return bytes(row.contact_index) in contact_indexes(column_of(contact), contact)


def sweep(now: datetime) -> int:
    """Remove codes that ended a day ago; they open nothing already. Returns how many."""
    _all, by_table = OneTimeCode.objects.filter(expires_at__lt=now - KEPT).delete()
    return by_table.get(OneTimeCode._meta.label, 0)


def _digest(row: OneTimeCode, code: str) -> bytes:
    """Return what is kept of a code: keyed, because eight digits alone could be tried out."""
    return salted_hmac("patients.codes", f"{row.pk}:{code}", algorithm="sha256").digest()
