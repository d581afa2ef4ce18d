"""How staff accounts behave at sign-in. Patients have none here: they sign in by code.

No mail leaves during a request, so that known and unknown addresses answer alike; a link to a
new password is made by the worker and stands in no queue. Tries are counted by account and by
network before a password is looked at, for known and unknown addresses alike.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ResetPasswordForm, default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django_q.tasks import async_task

from patients.client_address import client_address
from patients.mail import send_mail
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from patients.privacy.sign_in import factor
from patients.staff_forms import WithoutPlaceholders
from patients.throttle import Limit, TooManyRequests
from patients.visitors import network_of

NOBODY = 0
# One network that guesses at an account is stopped by the first limit, and its owner is not.
BY_ACCOUNT_HERE = Limit("password-here", times=5, seconds=5 * 60)
BY_ACCOUNT = Limit("password", times=30)
BY_NETWORK = Limit("password-network", times=60)
RESET_BY_ACCOUNT = Limit("reset", times=5)
RESET_BY_NETWORK = Limit("reset-network", times=20)
JUST_NOW_MINUTES = 5


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped library
    """Accounts are made by a clinic's admin, never by signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that limits count by; the library's own fails at a forged header."""
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try before the password is looked at; one that succeeds is given back."""
        for limit, who in _counted(request, credentials):
            try:
                limit.spend(who)
            except TooManyRequests:
                raise self.validation_error("too_many_login_attempts") from None

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user is not None:
            for limit, who in _counted(request, credentials):
                limit.give_back(who)
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write down that a password was wrong: not whose, so that all tries look alike."""
        audit.record(
            action=Act.SIGN_IN,
            purpose="password",
            outcome=Outcome.DENIED,
            system="system:visitor",
        )

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Ask for the second factor again where there is one: a password alone is not enough."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [m for m in methods if m["id"] != "reauthenticate"] or methods

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Do not ask again right after a sign-in that has shown all there is to show."""
        user = self.request.user
        if not factor.has_factor(user):
            return not factor.signed_in_within(self.request, JUST_NOW_MINUTES)
        return not factor.is_fresh(self.request, JUST_NOW_MINUTES)


def _counted(request: HttpRequest, credentials: dict[str, Any]) -> list[tuple[Limit, str]]:
    network = network_of(request)
    account = str(credentials.get("email", credentials.get("username", ""))).strip().casefold()
    return [
        (BY_ACCOUNT_HERE, f"{account} {network}"),
        (BY_ACCOUNT, account),
        (BY_NETWORK, network),
    ]


class NewPasswordForm(WithoutPlaceholders, ResetPasswordForm):  # type: ignore[misc]  # untyped library
    """Asks for an address; the worker is called whether or not somebody has it."""

    def clean(self) -> dict[str, Any]:
        """Count the request by address and by network, whoever's the address is."""
        cleaned: dict[str, Any] = super().clean() or {}
        try:
            RESET_BY_NETWORK.spend(network_of(context.request))
            RESET_BY_ACCOUNT.spend(str(cleaned.get("email", "")).casefold())
        except TooManyRequests as refusal:
            raise ValidationError(str(refusal)) from None
        return cleaned

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
