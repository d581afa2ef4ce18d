"""The pages of the second step and of sign-ins, with an account that has all there is."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from scheduling.seeding import cast
from tests.browser import visitors
from tests.browser.subjects import Subject
from tests.factories.providers import PASSWORD
from tests.patients.privacy.staff_sign_in import give_app, give_recovery_codes, type_password


def _setting_up() -> list[Subject]:
    member = visitors.staff("desk")
    names = ["mfa_index", "mfa_activate_totp", "mfa_add_webauthn"]
    return [Subject(name, "staff", member, label="new") for name in names]


def _looking_after() -> list[Subject]:
    user = User.objects.get(username=f"{visitors.STAFF['privacy']}@{cast.DOMAIN}")
    user.set_password(PASSWORD)
    user.save()
    give_app(user)
    give_recovery_codes(user)
    key = Authenticator.objects.create(
        user=user, type="webauthn", data={"name": "Phone", "credential": {}}
    )
    member = visitors.staff("privacy")
    names = [
        "mfa_index",
        "mfa_deactivate_totp",
        "mfa_generate_recovery_codes",
        "mfa_list_webauthn",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "account_sessions",
    ]
    one = {"pk": key.pk}
    return [
        *(Subject(name, "staff", member) for name in names),
        *(Subject(f"mfa_{name}_webauthn", "staff", member, one) for name in ("edit", "remove")),
        Subject("mfa_authenticate", "staff", _half_way(user)),
    ]


def _half_way(user: User) -> Client:
    """Return the browser of somebody who has typed the password."""
    client = visitors.browser()
    if type_password(client, user).status_code != 302:
        raise visitors.DeadEnd("the password led nowhere")
    return client


def _around() -> list[Subject]:
    admin, desk = visitors.staff("admin"), visitors.staff("desk")
    colleague = {"pk": User.objects.get(username=f"{visitors.STAFF['desk']}@{cast.DOMAIN}").pk}
    return [
        Subject("account_reset_second_factor", "staff", admin, colleague),
        Subject("account_unsent", "staff", _too_late(desk)),
        Subject("portal:sessions", "portal", visitors.demo_patient()),
    ]


def _too_late(client: Client) -> Client:
    """Return the browser of somebody whose form came after the sign-in had ended."""
    session = client.session
    session["seen_at"] -= 3600
    session.save()
    typed = {name: visitors.DETAILS[name] for name in ("given_name", "family_name", "email")}
    client.post(reverse("desk:patient_new"), typed)
    client.force_login(User.objects.get(username=f"{visitors.STAFF['desk']}@{cast.DOMAIN}"))
    return client


WAYS = [_setting_up, _looking_after, _around]
