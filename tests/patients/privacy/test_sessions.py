"""Sign-ins end by themselves, by what changes, and by whoever they belong to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patients.models import AuditEntry
from patients.privacy.sign_in import sessions
from providers.models import Clinic, Membership, Role
from tests.factories import AppointmentFactory, PatientFactory, UserFactory
from tests.factories.providers import PASSWORD
from tests.patients.privacy import staff_sign_in
from tests.patients.privacy.staff_sign_in import code_of, give_app, later, member

pytestmark = pytest.mark.django_db
BOARD, NOW = "/desk/", "/desk/now/"
CHROME = "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36"


@pytest.fixture
def user(clinic: Clinic) -> User:
    return member(clinic)


@pytest.fixture
def at_desk(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


@pytest.fixture
def patients_browser(clinic: Clinic) -> Client:
    account = UserFactory.create(username="p-ada", email="")
    PatientFactory.create(clinic=clinic, user=account)
    browser = Client()
    browser.force_login(account)
    return browser


def session_writes(queries: CaptureQueriesContext) -> list[str]:
    told = [query["sql"] for query in queries if "django_session" in query["sql"]]
    return [sql for sql in told if not sql.startswith("SELECT")]


def test_a_page_keeps_a_sign_in_alive_and_silence_ends_it(at_desk: Client) -> None:
    with later(minutes=14):
        assert at_desk.get(BOARD).status_code == 200
    with later(minutes=28):
        assert at_desk.get(BOARD).status_code == 200
    with later(minutes=43):
        answer = at_desk.get(f"{BOARD}?day=2026-03-02", follow=True)
    assert answer.redirect_chain == [("/accounts/login/?next=/desk/%3Fday%3D2026-03-02", 302)]
    assert b"nothing happened for 15 minutes" in answer.content
    assert not staff_sign_in.is_signed_in(at_desk)


def test_a_patients_sign_in_ends_too(patients_browser: Client) -> None:
    assert patients_browser.get("/appointments/").status_code == 200
    with later(minutes=15):
        answer = patients_browser.get("/appointments/")
    assert answer["Location"] == "/sign-in/?next=/appointments/"
    assert patients_browser.get("/appointments/").status_code == 302


def test_twelve_hours_are_the_end_whatever_happens(at_desk: Client) -> None:
    for quarter in range(1, 72):
        with later(minutes=10 * quarter):
            assert at_desk.get(reverse("account_session")).status_code == 200
            at_desk.post(reverse("account_stay"))
    with later(minutes=12 * 60 - 1):
        told = at_desk.get(reverse("account_session"), headers={"Accept": "application/json"})
        assert told.json()["seconds"] <= 60
        assert told.json()["can_stay"] is False
    with later(minutes=12 * 60):
        assert at_desk.get(BOARD)["Location"].startswith("/accounts/login/")


def test_a_poll_neither_keeps_a_sign_in_alive_nor_writes_it(at_desk: Client) -> None:
    at_desk.get(BOARD)
    for minute in (5, 10, 14):
        with later(minutes=minute), CaptureQueriesContext(connection) as queries:
            assert at_desk.get(reverse("desk:board_now")).status_code in {200, 204, 304}
        assert session_writes(queries) == []
    with later(minutes=15):
        answer = at_desk.get(reverse("desk:board_now"))
    assert (answer.status_code, answer["Sign-In-At"]) == (401, "/accounts/login/")
    assert answer.content == b""


def test_many_pages_in_a_minute_write_the_session_once(at_desk: Client) -> None:
    with later(minutes=2), CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            at_desk.get(reverse("desk:shortcuts"))
    assert sum(sql.startswith("UPDATE") for sql in session_writes(queries)) == 1


def test_a_public_page_goes_on_for_a_stranger(at_desk: Client) -> None:
    with later(minutes=20):
        assert at_desk.get("/").status_code == 200
    assert not staff_sign_in.is_signed_in(at_desk)


def test_a_sign_in_without_times_is_over(at_desk: Client) -> None:
    session = at_desk.session
    del session[sessions.SINCE_KEY]
    session.save()
    assert at_desk.get(BOARD)["Location"].startswith("/accounts/login/")


def test_what_remains_is_told_without_extending_it(at_desk: Client) -> None:
    with later(minutes=10):
        told = at_desk.get(reverse("account_session"))
        assert 295 <= told.json()["seconds"] <= 300
    with later(minutes=15):
        assert at_desk.get(reverse("account_session")).status_code == 401


def test_staying_extends_with_and_without_a_script(at_desk: Client) -> None:
    with later(minutes=14):
        told = at_desk.post(reverse("account_stay"), headers={"Accept": "application/json"})
        assert 890 <= told.json()["seconds"] <= 900
    with later(minutes=28):
        answer = at_desk.post(reverse("account_stay"), {"next": "/desk/"})
        assert answer["Location"] == "/desk/"
    with later(minutes=40):
        assert at_desk.get(BOARD).status_code == 200
        away = at_desk.post(reverse("account_stay"), {"next": "//evil.example"})
        assert away["Location"] == "/home/"


def test_the_warning_stands_on_every_page_of_somebody_signed_in(
    at_desk: Client, patients_browser: Client
) -> None:
    assert b'id="session-warning"' in at_desk.get(BOARD).content
    assert b'id="session-warning"' in patients_browser.get("/appointments/").content
    assert b'id="session-warning"' not in Client().get("/").content


# What was typed


def test_a_form_that_came_too_late_waits_for_the_same_user(clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    browser, page = Client(), reverse("desk:patient_new")
    staff_sign_in.sign_in(browser, user, secret)
    typed = {"given_name": "Rosalind <b>", "family_name": "Achterberg", "password": "secret"}
    with later(minutes=20):
        answer = browser.post(page, typed)
        assert answer["Location"] == "/accounts/login/?next=/accounts/unsent/"
        assert "Rosalind" not in str(dict(browser.session))

        staff_sign_in.type_password(browser, user, next="/accounts/unsent/")
        back = staff_sign_in.type_code(browser, code_of(secret))
        shown = browser.get(back["Location"])
        text = shown.content.decode()
        assert f'action="{page}"' in text
        assert "Rosalind &lt;b&gt;" in text
        assert "secret" not in text
        assert shown["Cache-Control"] == "no-store"
        browser.post(page, typed)
        assert browser.get("/accounts/unsent/")["Location"] == "/home/"


def test_a_patients_form_waits_too_although_its_page_is_open_to_links(
    patients_browser: Client,
) -> None:
    account = User.objects.get(username="p-ada")
    visit = AppointmentFactory.create(patient=account.patients.get())
    page = reverse("portal:cancel", args=[visit.pk])
    with later(minutes=20):
        answer = patients_browser.post(page, {"reason": "I am away"})
        assert answer["Location"] == "/sign-in/?next=/accounts/unsent/"
        patients_browser.force_login(account)
        shown = patients_browser.get("/accounts/unsent/").content.decode()
    assert f'action="{page}"' in shown
    assert "I am away" in shown
    visit.refresh_from_db()
    assert visit.status == "SCHEDULED"


def test_asking_for_a_code_goes_on_after_an_old_sign_in(patients_browser: Client) -> None:
    with later(minutes=20):
        answer = patients_browser.post("/sign-in/", {"contact": "ada@mail.example"})
    assert answer["Location"] == "/sign-in/code/"


@pytest.mark.parametrize("minutes", [5, 61])
def test_nobody_else_gets_it_and_nobody_after_an_hour(
    at_desk: Client, clinic: Clinic, user: User, minutes: int
) -> None:
    with later(minutes=20):
        at_desk.post(reverse("desk:patient_new"), {"given_name": "Rosalind"})
    with later(minutes=20 + minutes):
        at_desk.force_login(member(clinic) if minutes == 5 else user)
        assert at_desk.get("/accounts/unsent/")["Location"] == "/home/"
        assert "unsent" not in at_desk.session


def test_a_forged_form_is_not_kept(user: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    with later(minutes=20):
        assert browser.post(reverse("desk:patient_new"), {"given_name": "x"}).status_code == 403
    assert "unsent" not in browser.session


def test_a_very_long_form_is_not_kept(at_desk: Client) -> None:
    with later(minutes=20):
        answer = at_desk.post(reverse("desk:patient_new"), {"given_name": "x" * 70_000})
    assert answer["Location"] == f"/accounts/login/?next={reverse('desk:patient_new')}"


def test_a_panels_form_is_kept_and_answered_401(at_desk: Client) -> None:
    with later(minutes=20):
        answer = at_desk.post(
            reverse("desk:patient_new"), {"given_name": "Ro"}, headers={"HX-Request": "true"}
        )
    assert answer.status_code == 401
    assert answer["Sign-In-At"] == "/accounts/login/?next=/accounts/unsent/"
    assert "unsent" in at_desk.session


def test_it_can_be_thrown_away(at_desk: Client, user: User) -> None:
    with later(minutes=20):
        at_desk.post(reverse("desk:patient_new"), {"given_name": "Rosalind"})
        at_desk.force_login(user)
        assert b"Rosalind" in at_desk.get("/accounts/unsent/").content
        at_desk.post("/accounts/unsent/")
        assert at_desk.get("/accounts/unsent/").status_code == 302


# Ended


def test_staff_see_where_they_are_signed_in_and_end_it(at_desk: Client, user: User) -> None:
    other = Client(headers={"User-Agent": CHROME}, REMOTE_ADDR="203.0.113.9")
    secret = give_app(user)
    staff_sign_in.sign_in(other, user, secret)

    page = reverse("account_sessions")
    text = at_desk.get(page).content.decode()
    assert "Chrome on Windows" in text
    assert "203.0.113.9" in text
    row = UserSession.objects.get(session_key=other.session.session_key)
    at_desk.post(page, {"session": row.pk})

    assert not Session.objects.filter(session_key=row.session_key).exists()
    assert other.get(BOARD)["Location"].startswith("/accounts/login/")
    assert at_desk.get(page).status_code == 200


def test_all_others_are_ended_and_nobody_elses(
    at_desk: Client, user: User, patients_browser: Client, clinic: Clinic
) -> None:
    others = [Client() for _ in range(3)]
    for each in others:
        each.force_login(user)
    colleague = Client()
    colleague.force_login(member(clinic))
    foreign = UserSession.objects.get(session_key=colleague.session.session_key)
    at_desk.post(reverse("account_sessions"), {"session": foreign.pk})
    at_desk.post(reverse("account_sessions"), {"session": "9" * 30})
    at_desk.post(reverse("account_sessions"), {"session": "x"})
    assert colleague.get(BOARD).status_code == 200
    assert others[0].get(BOARD).status_code == 200

    at_desk.post(reverse("account_sessions"), {"others": "yes"})
    assert [each.get(BOARD).status_code for each in others] == [302] * 3
    assert at_desk.get(BOARD).status_code == 200
    assert patients_browser.get("/appointments/").status_code == 200


def test_patients_have_the_same_page(patients_browser: Client) -> None:
    assert b"Where you are signed in" in patients_browser.get(reverse("portal:sessions")).content
    assert patients_browser.get(reverse("account_sessions")).status_code == 404


def _role(user: User, clinic: Clinic) -> None:
    row = Membership.objects.get(user=user)
    row.role = Role.CLINIC_ADMIN
    row.save()


def _no_role(user: User, clinic: Clinic) -> None:
    Membership.objects.get(user=user).delete()


def _closed(user: User, clinic: Clinic) -> None:
    user.is_active = False
    user.save()


def _password(user: User, clinic: Clinic) -> None:
    user.set_password("another one entirely")
    user.save()


def _more(user: User, clinic: Clinic) -> None:
    Membership.objects.create(user=user, clinic=clinic, role=Role.PROVIDER)


@pytest.mark.parametrize("change", [_role, _no_role, _closed, _password, _more])
def test_what_changes_an_account_ends_its_sign_ins_at_once(
    at_desk: Client, user: User, clinic: Clinic, change: Any
) -> None:
    key = at_desk.session.session_key
    change(user, clinic)
    assert not Session.objects.filter(session_key=key).exists()
    assert not UserSession.objects.filter(user=user).exists()
    assert at_desk.get(BOARD)["Location"].startswith("/accounts/login/")


def test_a_name_that_changes_ends_nothing(at_desk: Client, user: User) -> None:
    user.first_name = "Ada"
    user.save()
    assert at_desk.get(BOARD).status_code == 200


def test_an_own_new_password_ends_the_other_sign_ins_only(at_desk: Client, user: User) -> None:
    other = Client()
    other.force_login(user)
    before, new = at_desk.session.session_key, "another one entirely"
    at_desk.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    assert at_desk.get(BOARD).status_code == 200
    assert at_desk.session.session_key != before
    assert other.get(BOARD).status_code == 302
    assert UserSession.objects.filter(user=user).count() == 1


def test_an_own_new_factor_ends_the_other_sign_ins_only(
    at_desk: Client, user: User, django_capture_on_commit_callbacks: Any
) -> None:
    other = Client()
    other.force_login(user)
    secret = at_desk.get(reverse("mfa_activate_totp")).context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        at_desk.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert at_desk.get(BOARD).status_code == 200
    assert other.get(BOARD).status_code == 302


def test_signing_out_leaves_nothing_for_a_copied_cookie(at_desk: Client, user: User) -> None:
    thief = Client()
    thief.cookies = at_desk.cookies.copy()  # type: ignore[assignment]
    key = at_desk.session.session_key
    assert thief.get(BOARD).status_code == 200
    at_desk.post(reverse("account_logout"))
    assert thief.get(BOARD).status_code == 302
    assert not Session.objects.filter(session_key=key).exists()
    assert not UserSession.objects.filter(user=user).exists()


def test_signing_in_changes_the_key(clinic: Clinic) -> None:
    user = member(clinic)
    secret = give_app(user)
    browser = Client()
    staff_sign_in.type_password(browser, user)
    before = browser.session.session_key
    staff_sign_in.type_code(browser, code_of(secret))
    assert browser.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_a_sweep_removes_what_is_kept_of_ended_sessions(at_desk: Client, user: User) -> None:
    Session.objects.update(expire_date=datetime(2020, 1, 1, tzinfo=UTC))
    assert sessions.sweep() == 1
    assert not Session.objects.exists()
    assert sessions.sweep() == 0


def test_a_new_password_is_on_the_record_whoever_sets_it(at_desk: Client, user: User) -> None:
    new = "a quite different sentence"
    sent = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    at_desk.post(reverse("account_change_password"), sent)
    row = AuditEntry.objects.get(field_names=["password"])
    assert (row.actor, row.object_pk, row.purpose) == (user, str(user.pk), "password")
    user.set_password("and another one")
    user.save()
    assert AuditEntry.objects.filter(field_names=["password"]).count() == 2


def test_a_session_under_a_new_key_is_still_on_the_list(client: Client) -> None:
    """A superuser's own new password on the set-up pages, which the sign-in library never sees."""
    root = UserFactory.create(is_superuser=True, is_staff=True)
    client.force_login(root)
    old, new = client.session.session_key, "a quite different sentence"
    page = reverse("admin:auth_user_password_change", args=[root.pk])
    client.post(page, {"usable_password": "true", "password1": new, "password2": new})
    assert client.get("/admin/").status_code == 200
    assert client.session.session_key != old
    assert sessions.end_sessions(root.pk) == 1
    assert client.get("/admin/").status_code == 302
