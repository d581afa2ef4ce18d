"""How staff accounts behave at sign-in. Patients have none here: they sign in by code.

No mail leaves during a request, so that known and unknown addresses answer alike; a link to a
new password is made by the worker and stands in no queue.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ResetPasswordForm, default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django_q.tasks import async_task

from patients.mail import send_mail
from patients.staff_forms import WithoutPlaceholders

NOBODY = 0


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped library
    """Accounts are made by a clinic's admin, never by signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class NewPasswordForm(WithoutPlaceholders, ResetPasswordForm):  # type: ignore[misc]  # untyped library
    """Asks for an address; the worker is called whether or not somebody has it."""

    def save(self, request: HttpRequest, **_kwargs: Any) -> str:
        user_id = self.users[0].pk if self.users else NOBODY
        task = partial(async_task, "patients.accounts.mail_new_password", user_id, get_language())
        transaction.on_commit(task)
        email: str = self.cleaned_data["email"]
        return email


def mail_new_password(user_id: int, language: str | None) -> None:
    """Send a member of staff a link to a new password: the worker's part. Nobody gets none."""
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is None:
        return
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])
    context = {"url": settings.SITE_URL + path}
    send_mail(kind="new_password", to=user.email, language=language or "", context=context)
