"""The second factors of staff: how their secrets are kept, that a code works once, and the reset.

What is asked for where is decided by the pages; how a code is made, by the library.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from patients.factor_seals import seal, unseal
from patients.mail import send_mail
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from patients.privacy.sign_in.sessions import end_sessions
from patients.throttle import Limit

LAST_STEP = "last_step"
BY_USER = Limit("second-factor", times=8, seconds=5 * 60)
LASTING = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped library
    """Seals secrets, and keeps the last factor of an account: staff pages need one."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is not right, or it was used already. Wait for a new one."),
        "cannot_delete_authenticator": _(
            "This is your only second step. Add another one before you remove it."
        ),
        "too_many_tries": _("Too many wrong codes. Wait 5 minutes, then try again."),
        "unusable_passkey": _("That passkey did not work here. Try again, or use another way."),
    }

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not is_last(authenticator)

    def _get_site_name(self) -> str:
        return str(settings.SITE_NAME)

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002
        known = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return str(_("Passkey %(number)s") % {"number": known + 1})


def is_last(authenticator: Authenticator) -> bool:
    """Say whether an account would be without a second factor, were this one removed.

    Recovery codes do not count: they are for the way back to a factor.
    """
    others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=LASTING)
    return not others.exclude(pk=authenticator.pk).exists()


def is_code_of(secret: str, code: str, *, after: int) -> int | None:
    """Return the time step whose code this is, of the last, this and the next; None of no such.

    Steps up to `after` do not count any more: a code that was used is over, and older ones too.
    """
    now = int(time.time()) // app_settings.TOTP_PERIOD
    found = None
    for step in (now - 1, now, now + 1):
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if totp.compare_user_code(actual=code, expected=expected) and step > after:
            found = step
    return found


def use_up(authenticator: Authenticator, *, step: int) -> None:
    """Let the code that an app was set up with open nothing afterwards."""
    if authenticator.type == Authenticator.Type.TOTP:
        authenticator.data[LAST_STEP] = step
        authenticator.save(update_fields=["data"])


@transaction.atomic
def accept_totp(authenticator: Authenticator, code: str) -> bool:
    """Use a code of an authenticator app up; False of one that is wrong or was used.

    The row is locked, so that of two browsers with the same code one is let in.
    """
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    step = is_code_of(decrypt(row.data["secret"]), code, after=row.data.get(LAST_STEP, 0))
    if step is None:
        return False
    row.data[LAST_STEP] = step
    row.save(update_fields=["data"])
    return True


def accept(user: User, code: str) -> Authenticator | None:
    """Return the factor whose code this is, and use the code up; None of a wrong one.

    Raises TooManyRequests after eight wrong codes of one account in five minutes.
    """
    BY_USER.spend(str(user.pk))
    typed = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN)
    for factor in typed.order_by("-type"):
        is_totp = factor.type == Authenticator.Type.TOTP
        if accept_totp(factor, code) if is_totp else factor.wrap().validate_code(code):
            BY_USER.give_back(str(user.pk))
            found: Authenticator = Authenticator.objects.get(pk=factor.pk)
            return found
    return None


def refused(user: User | None) -> None:
    """Write down that a second factor was wrong, and whose, where the try says so."""
    audit.record(action=Act.SIGN_IN, about=user, purpose="second_factor", outcome=Outcome.DENIED)


@transaction.atomic
def reset(*, user: User, by: User | None) -> int:
    """Remove all second factors of an account and end its sign-ins; the user is told by mail.

    `by` is None where the server's operator does it. Returns how many factors there were.
    """
    rows = Authenticator.objects.filter(user=user)
    count: int = rows.exclude(type=Authenticator.Type.RECOVERY_CODES).count()
    rows.delete()
    end_sessions(user.pk)
    audit.record(
        action=Act.SIGN_IN,
        about=user,
        purpose="second_factor_reset",
        by=by,
        system="" if by else "system:operator",
    )
    _tell(user, "second_factor_reset")
    return count


def tell_of_change(user: User) -> None:
    """Have the user told by mail that a second factor was added or removed."""
    _tell(user, "second_factor_changed")


def _tell(user: User, kind: str) -> None:
    task = partial(async_task, "patients.second_factor.mail", user.pk, kind, get_language() or "")
    transaction.on_commit(task)


def mail(user_id: int, kind: str, language: str) -> None:
    """Send one of the two messages: the worker's part. An account without an address gets none."""
    user = User.objects.filter(pk=user_id).exclude(email="").first()
    if user is not None:
        send_mail(kind=kind, to=user.email, language=language, context={"url": settings.SITE_URL})
