"""No way leads to a staff page without a second factor, and each of its codes works once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Barrier

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from patients import second_factor
from patients.accounts import mail_new_password
from patients.models import AuditEntry
from patients.models.audit import Act
from providers.models import Clinic, Role
from tests.factories import MembershipFactory, UserFactory
from tests.factories.providers import PASSWORD
from tests.patients.privacy import staff_sign_in
from tests.patients.privacy.staff_sign_in import code_of, give_app, later, member
from tests.routes import all_routes

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in]
Commit = Callable[..., AbstractContextManager[list[Callable[[], object]]]]
BOARD, SET_UP = "/desk/", "/accounts/second-step/"


def test_a_code_follows_the_password_and_leads_to_the_wanted_page(
    client: Client, clinic: Clinic
) -> None:
    user = member(clinic)
    secret = give_app(user)

    answer = staff_sign_in.type_password(client, user, next=BOARD)
    assert answer["Location"] == reverse("mfa_authenticate")
    assert not staff_sign_in.is_signed_in(client)
    assert client.get(BOARD)["Location"].startswith("/accounts/login/")

    assert staff_sign_in.type_code(client, code_of(secret))["Location"] == BOARD
    assert client.get(BOARD).status_code == 200


def test_a_wrong_code_opens_nothing(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    give_app(user)
    staff_sign_in.type_password(client, user)

    answer = staff_sign_in.type_code(client, "000000")
    assert b"This code is not right" in answer.content
    assert not staff_sign_in.is_signed_in(client)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_be_a_step_off_and_no_more(client: Client, clinic: Clinic, steps: int) -> None:
    user = member(clinic)
    secret = give_app(user)
    staff_sign_in.type_password(client, user)
    too_far = code_of(secret, steps=2 * (steps or 1))
    assert staff_sign_in.type_code(client, too_far).status_code == 200
    assert staff_sign_in.type_code(client, code_of(secret, steps=steps)).status_code == 302


def test_a_code_works_once_and_no_older_one_after_it(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    used = code_of(secret)
    staff_sign_in.sign_in(client, user, secret)

    other = Client()
    staff_sign_in.type_password(other, user)
    for replayed in (used, code_of(secret, steps=-1)):
        assert b"This code is not right" in staff_sign_in.type_code(other, replayed).content
    with later(seconds=31):  # still inside the tolerance of the used one
        assert staff_sign_in.type_code(other, used).status_code == 200
    assert staff_sign_in.type_code(other, code_of(secret, steps=1)).status_code == 302


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_many_browsers_with_one_code_one_is_let_in(clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    factor, code, together = Authenticator.objects.get(user=user), code_of(secret), Barrier(8)

    def one(_number: int) -> bool:
        try:
            connection.ensure_connection()
            together.wait(timeout=10)
            return second_factor.accept_totp(factor, code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == 1


def test_a_recovery_code_works_once(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    give_app(user)
    code = staff_sign_in.give_recovery_codes(user)[0]
    assert len(code) == 12
    staff_sign_in.type_password(client, user)
    assert staff_sign_in.type_code(client, f"{code[:4]} {code[4:8]} {code[8:]}").status_code == 302

    other = Client()
    staff_sign_in.type_password(other, user)
    assert staff_sign_in.type_code(other, code).status_code == 200


def test_guessing_codes_is_slowed_down_and_not_for_good(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    staff_sign_in.type_password(client, user)
    for _ in range(second_factor.BY_USER.times):
        staff_sign_in.type_code(client, "000000")

    assert b"Too many wrong codes" in staff_sign_in.type_code(client, code_of(secret)).content
    with later(minutes=6):
        assert staff_sign_in.type_code(client, code_of(secret)).status_code == 302


def test_secrets_stand_sealed_in_the_database_and_in_the_session(
    client: Client, clinic: Clinic
) -> None:
    user = member(clinic)
    secret = give_app(user)
    staff_sign_in.give_recovery_codes(user)
    stored = list(Authenticator.objects.values_list("data", flat=True))
    assert secret not in str(stored)
    assert [next(iter(row.values()))[:2] for row in stored] == ["1.", "1."]

    newcomer = member(clinic)
    staff_sign_in.type_password(client, newcomer)
    page = client.get(reverse("mfa_activate_totp"))
    shown = page.context["form"].secret
    assert shown in page.content.decode()
    assert shown not in str(dict(client.session))


# Ways around it


def test_without_a_factor_every_staff_page_leads_to_setting_one_up(
    client: Client, clinic: Clinic
) -> None:
    user = member(clinic, Role.CLINIC_ADMIN, is_staff=True)
    staff_sign_in.type_password(client, user)
    assert staff_sign_in.is_signed_in(client)

    for route in all_routes():
        if route.parameters or route.audience.value in {"public", "patient"}:
            continue
        if route.name in {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn"}:
            continue
        answer = client.get(route.address({}))
        if route.name == "account_reauthenticate":
            continue
        # 401: part of a page; 404 and 405: the page's own gate speaks first
        assert answer.status_code in {302, 401, 404, 405}, route.name
        if answer.status_code == 302:
            assert answer["Location"] in {SET_UP, "/accounts/reauthenticate/"}, route.name


@pytest.mark.parametrize("page", [BOARD, "/admin/", "/accounts/sessions/", "/admin/auth/user/"])
def test_a_session_of_before_leads_to_the_code_first(
    client: Client, clinic: Clinic, page: str
) -> None:
    """One that was made when a password was enough, by an account that has a factor by now."""
    user = member(clinic, Role.CLINIC_ADMIN, is_staff=True)
    client.force_login(user)
    secret = give_app(user)

    asked = client.get(page)
    assert asked["Location"] == f"/accounts/second-step/again/?next={page.replace('/', '%2F')}"
    assert client.get(reverse("mfa_add_webauthn"))["Location"].startswith(
        "/accounts/second-step/again/"
    )
    answer = client.post(asked["Location"], {"code": code_of(secret), "next": page})
    assert answer["Location"] == page
    assert client.get(page).status_code == 200


def test_an_old_session_cannot_be_led_around_by_a_new_factor(
    client: Client, clinic: Clinic
) -> None:
    user = member(clinic)
    client.force_login(user)
    give_app(user)
    for name in ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"):
        answer = client.post(reverse(name), {"password": PASSWORD, "code": "1", "next": BOARD})
        assert answer["Location"].startswith("/accounts/second-step/again/"), name
    assert client.get(BOARD)["Location"].startswith("/accounts/second-step/again/")


def test_a_new_password_by_mail_does_not_replace_the_code(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    mail_new_password(user.pk, "en")
    link = next(w for w in str(mail.outbox[0].body).split() if "/key/" in w)
    form = client.get(link.partition(":8000")[2], follow=True)
    new = "a quite different sentence"
    client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert client.get(BOARD)["Location"].startswith("/accounts/login/")

    staff_sign_in.type_password(client, user, new)
    assert client.get(BOARD)["Location"].startswith("/accounts/login/")
    staff_sign_in.type_code(client, code_of(secret))
    assert client.get(BOARD).status_code == 200


def test_a_superuser_needs_it_too(client: Client) -> None:
    user = UserFactory.create(is_superuser=True, is_staff=True)
    staff_sign_in.type_password(client, user)
    assert client.get("/admin/")["Location"] == SET_UP


def test_a_part_of_a_page_is_answered_401(client: Client, clinic: Clinic) -> None:
    client.force_login(member(clinic))
    answer = client.get(BOARD, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["Sign-In-At"]) == (401, SET_UP)


def test_a_patient_needs_none(client: Client, clinic: Clinic) -> None:
    account = UserFactory.create(username="p-somebody", email="")
    from_record = clinic.patients.create(given_name="Ada", family_name="Byron", user=account)
    client.force_login(account)
    assert from_record.user == account
    assert client.get("/appointments/").status_code == 200


# Setting up


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_app_opens_the_page_that_was_wanted(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    staff_sign_in.type_password(client, user)
    assert client.get(BOARD)["Location"] == SET_UP
    assert b"Set up a second step" in client.get(SET_UP).content

    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200
    assert b"data:image/svg+xml" in page.content
    secret = page.context["form"].secret
    wrong = client.post(reverse("mfa_activate_totp"), {"code": "12"})
    assert wrong.status_code == 200
    assert wrong.context["form"].secret == secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})

    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    codes = client.get(answer["Location"])
    assert codes.content.count(b"<li><code>") == 10
    assert b'href="/desk/"' in codes.content
    assert b"data:text/plain" in codes.content
    again = client.get(answer["Location"])
    assert b"<li><code>" not in again.content
    assert client.get(BOARD).status_code == 200


def test_setting_up_is_refused_once_the_sign_in_is_no_longer_new(
    client: Client, clinic: Clinic
) -> None:
    user = member(clinic)
    staff_sign_in.type_password(client, user)
    with later(minutes=6):
        answer = client.get(reverse("mfa_activate_totp"))
        assert answer["Location"].startswith("/accounts/reauthenticate/")
        client.post(answer["Location"], {"password": PASSWORD})
        assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_the_last_factor_stays(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    staff_sign_in.give_recovery_codes(user)
    staff_sign_in.sign_in(client, user, secret)

    page = reverse("mfa_deactivate_totp")
    assert b"This is your only second step" in client.get(page).content
    client.post(page)
    assert Authenticator.objects.filter(user=user, type="totp").exists()


def test_the_last_passkey_stays_and_another_may_go(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    key = Authenticator.objects.create(
        user=user, type="webauthn", data={"name": "Phone", "credential": {}}
    )
    staff_sign_in.sign_in(client, user, secret)
    page = reverse("mfa_remove_webauthn", args=[key.pk])
    assert b"Phone" in client.get(page).content

    Authenticator.objects.filter(user=user, type="totp").delete()
    assert client.post(page)["Location"] == reverse("mfa_list_webauthn")
    assert Authenticator.objects.filter(pk=key.pk).exists()

    give_app(user)
    client.post(page)
    assert not Authenticator.objects.filter(pk=key.pk).exists()


def test_changing_a_factor_asks_again_for_it(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    staff_sign_in.sign_in(client, user, secret)
    with later(minutes=6):
        for name in ("mfa_add_webauthn", "mfa_deactivate_totp", "mfa_generate_recovery_codes"):
            assert client.get(reverse(name))["Location"].startswith(
                "/accounts/second-step/again/"
            ), name
        password = reverse("account_reauthenticate")
        assert client.post(password, {"password": PASSWORD})["Location"].startswith(
            "/accounts/second-step/again/"
        )


@pytest.mark.parametrize(
    "junk", ["", "[]", "1", "{}", '{"id": 1}', '{"response": []}', '{"id":"a","response":{}}', "x"]
)
@pytest.mark.parametrize("page", ["mfa_login_webauthn", "mfa_authenticate", "mfa_add_webauthn"])
def test_what_is_no_passkey_is_told_kindly(
    client: Client, clinic: Clinic, page: str, junk: str
) -> None:
    user = member(clinic)
    if page == "mfa_authenticate":
        give_app(user)
    if page != "mfa_login_webauthn":
        staff_sign_in.type_password(client, user)
    client.get(reverse(page), headers={"Accept": "application/json"})
    assert client.post(reverse(page), {"credential": junk}).status_code in {200, 302}
    assert not Authenticator.objects.filter(type="webauthn").exists()


# Lost factors


def test_a_clinic_admin_resets_a_colleagues_lost_factors(
    client: Client, clinic: Clinic, django_capture_on_commit_callbacks: Commit
) -> None:
    admin = member(clinic, Role.CLINIC_ADMIN, is_staff=True)
    colleague = member(clinic, email="lost@clinic.example")
    colleague_secret, secret = give_app(colleague), give_app(admin)
    theirs = Client()
    staff_sign_in.sign_in(theirs, colleague, colleague_secret)
    staff_sign_in.sign_in(client, admin, secret)

    page = reverse("account_reset_second_factor", args=[colleague.pk])
    assert b"lost@clinic.example" in client.get(page).content
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page)

    assert not Authenticator.objects.filter(user=colleague).exists()
    assert theirs.get(BOARD)["Location"].startswith("/accounts/login/")
    told = [m for m in mail.outbox if m.to == ["lost@clinic.example"]]
    assert "was reset" in told[-1].subject
    row = AuditEntry.objects.filter(purpose="second_factor_reset").get()
    assert row.actor == admin


def test_nobody_else_resets_factors(client: Client, clinic: Clinic) -> None:
    colleague, elsewhere = member(clinic), MembershipFactory.create().user
    for role, target in (
        (Role.RECEPTIONIST, colleague),
        (Role.PRIVACY_OFFICER, colleague),
        (Role.CLINIC_ADMIN, elsewhere),
    ):
        user = member(clinic, role)
        secret = give_app(user)
        give_app(target) if not Authenticator.objects.filter(user=target).exists() else None
        browser = Client()
        staff_sign_in.sign_in(browser, user, secret)
        page = reverse("account_reset_second_factor", args=[target.pk])
        assert browser.post(page).status_code == 404, role
        assert Authenticator.objects.filter(user=target).exists()


def test_the_servers_operator_resets_by_a_command(client: Client, clinic: Clinic) -> None:
    user = member(clinic, email="lost@clinic.example")
    staff_sign_in.sign_in(client, user, give_app(user))
    call_command("reset_second_factor", "Lost@clinic.example")
    assert client.get(BOARD)["Location"].startswith("/accounts/login/")
    assert not Authenticator.objects.filter(user=user).exists()
    assert AuditEntry.objects.get(purpose="second_factor_reset").system_actor == "system:operator"
    with pytest.raises(CommandError, match="No one account"):
        call_command("reset_second_factor", "nobody@clinic.example")


def test_fresh_means_a_second_factor_within_minutes(client: Client, clinic: Clinic) -> None:
    admin = member(clinic, Role.CLINIC_ADMIN, is_staff=True)
    colleague, secret = member(clinic), give_app(admin)
    staff_sign_in.sign_in(client, admin, secret)
    page = reverse("account_reset_second_factor", args=[colleague.pk])
    assert client.get(page).status_code == 200
    with later(minutes=6):
        asked = client.get(page)
        assert asked["Location"].startswith("/accounts/second-step/again/?next=")
        answer = client.post(asked["Location"], {"code": code_of(secret), "next": page})
        assert answer["Location"] == page
        assert client.get(page).status_code == 200


def test_a_wrong_second_factor_is_on_the_record(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    denied = AuditEntry.objects.filter(action=Act.SIGN_IN, outcome="DENIED")
    staff_sign_in.type_password(client, user)
    staff_sign_in.type_code(client, "000000")
    row = denied.get()
    assert (row.purpose, row.object_pk) == ("second_factor", str(user.pk))
    assert row.system_actor == "system:visitor"

    client.post(reverse("mfa_authenticate"), {"credential": '{"id": 1}'})
    Client().post(reverse("mfa_login_webauthn"), {"credential": '{"id": 1}'})
    assert denied.count() == 3
    staff_sign_in.type_code(client, code_of(secret))
    again = reverse("mfa_reauthenticate")
    client.post(again, {"code": "000000"})
    assert denied.count() == 4
    assert denied.filter(actor=user).count() == 1


def test_a_page_that_was_refused_for_want_of_one_is_no_look(client: Client, clinic: Clinic) -> None:
    user = member(clinic)
    staff_sign_in.type_password(client, user)
    client.get(BOARD)
    secret = give_app(user)
    client.get(BOARD)
    client.get(BOARD, headers={"HX-Request": "true"})
    rows = AuditEntry.objects.filter(page="desk:board", actor=user)
    assert [row.outcome for row in rows] == ["DENIED"] * 3

    other = Client()
    staff_sign_in.sign_in(other, user, secret)
    assert other.get(BOARD).status_code == 200
    with later(minutes=6):
        other.get(reverse("emergency:ask"))
    told = rows.filter(outcome="DONE").count(), AuditEntry.objects.get(page="emergency:ask").outcome
    assert told == (1, "DENIED")
