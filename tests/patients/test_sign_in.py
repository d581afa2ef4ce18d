"""Signing in, as the browser sees it: patients by code, staff by password."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from patients.contacts import OFF
from patients.models import AuditEntry, OneTimeCode, Patient
from patients.models.audit import Act
from providers.models import Role
from reminders.channels.memory import outbox
from tests.factories import MembershipFactory, PatientFactory, UserFactory
from tests.factories.providers import PASSWORD

EMAIL = "ada@mail.example"
Commit = Callable[..., AbstractContextManager[list[Callable[[], object]]]]
Ask = Callable[..., HttpResponse]


@pytest.fixture
def ada(db: None) -> Patient:
    return PatientFactory.create(email=EMAIL)


@pytest.fixture
def ask(client: Client, django_capture_on_commit_callbacks: Commit) -> Ask:
    def ask(contact: str = EMAIL, **data: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return client.post("/sign-in/", {"contact": contact, **data})

    return ask


def code_in_mail() -> str:
    found = re.search(r"\d{4} \d{4}", str(mail.outbox[-1].body))
    assert found is not None
    return found.group()


def type_in(client: Client, code: str) -> Any:
    return client.post("/sign-in/code/", {"code": code})


def test_a_patient_signs_in_with_the_code_from_the_mail(
    client: Client, ada: Patient, ask: Ask
) -> None:
    assert ask()["Location"] == "/sign-in/code/"
    answer = type_in(client, code_in_mail())

    assert answer["Location"] == "/appointments/"
    assert client.get("/appointments/").status_code == 200


def test_a_patient_comes_to_the_page_that_was_wanted(
    client: Client, ada: Patient, ask: Ask
) -> None:
    wanted = client.get("/appointments/")["Location"]
    assert wanted == "/sign-in/?next=/appointments/"
    assert b'name="next" value="/appointments/"' in client.get(wanted).content

    ask(next="/visit/00000000-0000-7000-8000-000000000000/")

    assert type_in(client, code_in_mail())["Location"].startswith("/visit/0000")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:1"])
def test_a_patient_is_not_sent_to_another_site(
    client: Client, ada: Patient, ask: Ask, elsewhere: str
) -> None:
    ask(next=elsewhere)

    assert type_in(client, code_in_mail())["Location"] == "/appointments/"


def test_a_session_keeps_no_more_of_an_address_than_any_page_of_ours_has(
    client: Client, ada: Patient, ask: Ask
) -> None:
    ask(next="/" + "x" * 100_000)
    assert len(str(dict(client.session))) < 1_000


def test_known_and_unknown_addresses_are_answered_alike(ada: Patient, ask: Ask) -> None:
    known, unknown = ask(), ask("nobody@mail.example")

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert len(mail.outbox) == 1
    assert OneTimeCode.objects.count() == 2


def test_the_page_for_the_code_is_the_same_for_unknown_addresses(ada: Patient, ask: Ask) -> None:
    pages = []
    for email in (EMAIL, "nobody@mail.example"):
        browser = Client()
        browser.post("/sign-in/", {"contact": email})
        text = browser.get("/sign-in/code/").content.decode()
        pages.append(re.sub(r'(csrf-token" content|csrfmiddlewaretoken" value)="\w+"', "", text))

    assert pages[0] == pages[1]


def test_a_code_is_of_no_use_in_another_browser(ada: Patient, ask: Ask) -> None:
    ask()
    stolen, other = code_in_mail(), Client()
    other.post("/sign-in/", {"contact": "nobody@mail.example"})

    assert type_in(other, stolen).status_code == 422
    assert "_auth_user_id" not in other.session


def test_a_wrong_code_may_be_typed_again(client: Client, ada: Patient, ask: Ask) -> None:
    ask()
    code = code_in_mail()

    answer = type_in(client, "1234 567")
    assert answer.status_code == 422
    assert b"This is not the code in the message" in answer.content
    assert type_in(client, code).status_code == 302


def test_nobody_types_a_code_without_asking_for_one(client: Client, db: None) -> None:
    assert client.get("/sign-in/code/")["Location"] == "/sign-in/"
    assert type_in(client, "1234 5678")["Location"] == "/sign-in/"


def code_in_text() -> str:
    found = re.search(r"\d{4} ?\d{4}", outbox[-1].message.text)
    assert found is not None
    return found.group()


def give_mobile(patient: Patient) -> None:
    patient.phone, patient.phone_is_textable = "+12012340123", True
    patient.save()


def test_a_patient_signs_in_with_the_code_from_a_text(
    client: Client, ada: Patient, ask: Ask
) -> None:
    give_mobile(ada)
    assert ask("(201) 234-0123")["Location"] == "/sign-in/code/"

    assert mail.outbox == []
    assert type_in(client, code_in_text())["Location"] == "/appointments/"
    ada.refresh_from_db()
    assert ada.user is not None


def test_by_either_contact_a_patient_comes_to_the_same_account(
    client: Client, ada: Patient, ask: Ask
) -> None:
    give_mobile(ada)
    accounts = set()
    for contact, code in ((EMAIL, code_in_mail), ("+1 201 234 0123", code_in_text)):
        ask(contact)
        type_in(client, code())
        ada.refresh_from_db()
        accounts.add(ada.user)
        client.logout()

    assert len(accounts) == 1
    assert None not in accounts


def test_a_shared_number_opens_nothing_of_those_who_share_the_address_alone(
    client: Client, ada: Patient, ask: Ask
) -> None:
    sibling = PatientFactory.create(email=EMAIL)
    give_mobile(ada)
    ask("+1 201 234 0123")
    type_in(client, code_in_text())

    ada.refresh_from_db()
    sibling.refresh_from_db()
    assert ada.user is not None
    assert sibling.user is None


def test_where_no_texts_are_sent_a_number_is_told_kindly_to_be_no_way_in(
    client: Client, db: None, ask: Ask, settings: Settings
) -> None:
    settings.CHANNELS = {**settings.CHANNELS, "SMS": OFF}
    answer = ask("212 555 0134")

    assert answer.status_code == 422
    assert b"We cannot send text messages" in answer.content
    assert b"mobile number" not in answer.content
    assert not OneTimeCode.objects.exists()


def test_a_number_that_cannot_be_texted_is_told_so_whoever_has_it(
    client: Client, ada: Patient, ask: Ask
) -> None:
    ada.phone = "+15555550134"
    ada.save()
    pages = [ask(number) for number in ("+1 555 555 0134", "+1 555 555 0135")]

    assert {page.status_code for page in pages} == {422}
    assert all(b"We cannot send a text message to this number" in page.content for page in pages)


@pytest.mark.parametrize(
    "typed", ["", "ada", "ada@", "a\x00b@mail.example", "a" * 300 + "@x.example"]
)
def test_what_is_no_address_is_explained_and_kept(
    client: Client, db: None, ask: Ask, typed: str
) -> None:
    assert ask(typed).status_code == 422
    assert not OneTimeCode.objects.exists()


def test_too_many_requests_answer_429_and_keep_what_was_typed(ada: Patient, ask: Ask) -> None:
    for _ in range(5):
        ask()
    answer = ask()

    assert answer.status_code == 429
    assert EMAIL.encode() in answer.content
    assert b"Wait 15 minutes" in answer.content


def test_a_closed_account_is_told_to_call_after_the_code_was_right(
    client: Client, ada: Patient, ask: Ask
) -> None:
    ada.user = User.objects.create(username="p-closed", is_active=False)
    ada.save()
    ask()

    answer = type_in(client, code_in_mail())

    assert answer.status_code == 403
    assert "_auth_user_id" not in client.session


def test_sign_in_pages_are_never_stored(client: Client, db: None) -> None:
    assert client.get("/sign-in/")["Cache-Control"] == "no-store"


def test_signing_out_is_a_post_that_clears_the_browser(
    client: Client, ada: Patient, ask: Ask
) -> None:
    ask()
    type_in(client, code_in_mail())

    assert client.get("/accounts/logout/").status_code == 200
    assert "_auth_user_id" in client.session
    answer = client.post("/accounts/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("role", "entry"),
    [
        (Role.RECEPTIONIST, "/desk/"),
        (Role.CLINIC_ADMIN, "/desk/"),
        (Role.PROVIDER, "/provider/"),
    ],
)
def test_staff_sign_in_with_a_password_and_come_to_their_own_page(
    client: Client, db: None, role: Role, entry: str
) -> None:
    staff = MembershipFactory.create(role=role).user

    answer = client.post("/accounts/login/", {"login": staff.email, "password": PASSWORD})
    assert answer["Location"] == "/home/"
    assert client.get("/home/")["Location"] == entry


def test_a_role_without_pages_is_told_so(client: Client, db: None) -> None:
    client.force_login(UserFactory.create(is_superuser=True))

    answer = client.get("/home/")

    assert answer.status_code == 200
    assert b"Nothing here for your role yet" in answer.content


def test_a_patient_and_a_stranger_come_home(client: Client, ada: Patient, ask: Ask) -> None:
    assert client.get("/home/")["Location"] == "/"
    ask()
    type_in(client, code_in_mail())
    assert client.get("/home/")["Location"] == "/appointments/"


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    client: Client, db: None
) -> None:
    staff = UserFactory.create()
    answers = [
        client.post("/accounts/login/", {"login": login, "password": "wrong"})
        for login in (staff.email, "nobody@clinic.example")
    ]
    words = [
        re.findall(r'class="error-links">(.*?)</ul>', a.content.decode(), re.S) for a in answers
    ]

    assert words[0] == words[1] != []
    assert {answer.status_code for answer in answers} == {200}


def test_a_portal_account_cannot_sign_in_with_a_password(
    client: Client, ada: Patient, ask: Ask
) -> None:
    ask()
    type_in(client, code_in_mail())
    account = User.objects.get(username__startswith="p-")
    client.post("/accounts/logout/")

    for login in (account.username, EMAIL):
        client.post("/accounts/login/", {"login": login, "password": ""})
        client.post("/accounts/login/", {"login": login, "password": "x"})
    assert "_auth_user_id" not in client.session


def test_staff_choose_a_new_password_by_a_link_from_the_worker(
    client: Client, db: None, django_capture_on_commit_callbacks: Commit
) -> None:
    staff = UserFactory.create()
    with django_capture_on_commit_callbacks() as due:
        answer = client.post("/accounts/password/reset/", {"email": staff.email})
    assert answer["Location"] == "/accounts/password/reset/done/"
    assert mail.outbox == []
    assert due[0].args == ("patients.accounts.mail_new_password", staff.pk, "en")  # type: ignore[attr-defined]

    due[0]()
    found = re.search(
        r"http://127\.0\.0\.1:8000(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body)
    )
    assert found is not None
    form = client.get(found.group(1), follow=True)
    new = "a quite different sentence"
    client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})

    staff.refresh_from_db()
    assert staff.check_password(new)


def test_an_unknown_address_asks_the_worker_too_and_gets_no_mail(
    client: Client, db: None, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as due:
        answer = client.post("/accounts/password/reset/", {"email": "nobody@clinic.example"})

    assert answer["Location"] == "/accounts/password/reset/done/"
    assert len(due) == 1
    assert mail.outbox == []


def test_staff_whose_account_was_closed_are_told_so_after_the_right_password(
    client: Client, db: None
) -> None:
    user = UserFactory.create(email="left@clinic.example", is_active=False)
    answer = client.post(
        "/accounts/login/", {"login": user.email, "password": PASSWORD}, follow=True
    )
    assert answer.redirect_chain == [("/accounts/inactive/", 302)]
    assert "This account is closed" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_the_first_superuser_changes_the_own_password(client: Client, db: None) -> None:
    client.force_login(UserFactory.create(is_superuser=True))
    assert client.get("/accounts/password/change/").status_code == 200


def test_a_wrong_code_and_a_right_one_are_on_the_record(
    client: Client, ada: Patient, ask: Ask
) -> None:
    ask()
    code = code_in_mail()
    tries = AuditEntry.objects.filter(action=Act.SIGN_IN).order_by("pk")
    type_in(client, "0000 000")
    type_in(client, code)
    told = [(row.outcome, row.purpose, row.system_actor) for row in tries]
    assert told == [("DENIED", "sign_in", "system:visitor"), ("DONE", "sign_in", "")]
