"""What ends sign-ins: other rights, another password, a closed account, other second factors."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from patients import second_factor
from patients.models.audit import Act
from patients.privacy import audit
from patients.privacy.sign_in import factor, sessions
from providers.models import Membership


@receiver(user_logged_in)
def _signed_in(sender: Any, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    sessions.begin(request, user)
    audit.record(action=Act.SIGN_IN, by=user, about=user, purpose="sign_in")


@receiver(user_logged_out)
def _signed_out(sender: Any, request: HttpRequest, **_kwargs: Any) -> None:
    sessions.forget(request.session.session_key)


@receiver([post_save, post_delete], sender=Membership)
def _role_changed(sender: Any, instance: Membership, **_kwargs: Any) -> None:
    sessions.end_sessions(instance.user_id)


@receiver(post_save, sender=User)
def _account_changed(sender: Any, instance: User, *, created: bool, **_kwargs: Any) -> None:
    """End a closed account's sign-ins all, and those of a new password but for the one at hand."""
    if created:
        return
    if not instance.is_active:
        sessions.end_sessions(instance.pk)
    elif instance._password is not None:  # type: ignore[attr-defined]  # set with this save
        audit.record(action=Act.UPDATE, about=instance, fields=["password"], purpose="password")
        sessions.end_sessions(instance.pk, keep=_session_of(instance))


@receiver(password_changed)
def _key_changed(sender: Any, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Forget the old key of the session that goes on after an own new password."""
    sessions.end_sessions(user.pk, keep=request.session.session_key or "")


def _session_of(user: User) -> str:
    """Return the key of the session in which this very user is acting, or ""."""
    request: HttpRequest | None = context.request
    if request is None or getattr(request, "user", None) != user:
        return ""
    return request.session.session_key or ""


@receiver([authenticator_added, authenticator_removed, authenticator_reset])
def _factor_changed(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **_kwargs: Any
) -> None:
    """Keep the sign-in that changed a factor; a new one has shown by this that it is held."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        is_new = Authenticator.objects.filter(pk=authenticator.pk).exists()
        if is_new:
            factor.note_set_up(request, user, authenticator.type)
            second_factor.use_up(authenticator, step=getattr(request, "set_up_with_step", 0))
        second_factor.tell_of_change(user)
    sessions.end_sessions(user.pk, keep=request.session.session_key or "")
