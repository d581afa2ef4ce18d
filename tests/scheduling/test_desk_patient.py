"""Registering at the desk, and keeping details right."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from patients.models import Patient
from patients.registration import stamp_of
from providers.models import Clinic
from scheduling.forms.patient import typed_so_far
from tests.factories import MembershipFactory, PatientFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 9)
TYPED = {
    "given_name": "Ana",
    "family_name": "Torres",
    "dob": "4/7/1961",
    "phone": "212 555 0134",
    "email": "Ana.Torres@Example.org",
    "language": "es",
    "sex": "female",
    "key": "k" * 32,
}


@pytest.fixture
def client(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic).user)
    return client


def register(client: Client, **changes: Any) -> HttpResponse:
    return client.post(reverse("desk:patient_new"), {**TYPED, **changes})  # type: ignore[return-value]


def test_a_patient_is_registered_as_typed(client: Client, clinic: Clinic) -> None:
    answer = register(client)
    patient = Patient.objects.get()
    assert answer["Location"] == reverse("desk:patient", args=[patient.pk])
    assert (patient.clinic, patient.full_name) == (clinic, "Ana Torres")
    assert patient.dob == date(1961, 4, 7)
    assert (patient.phone, patient.email) == ("+12125550134", "ana.torres@example.org")
    assert (patient.language, patient.is_provisional) == ("es", False)


def test_the_same_form_sent_twice_registers_once(client: Client) -> None:
    first = register(client)
    again = register(client, anyway="1")
    assert first["Location"] == again["Location"]
    assert Patient.objects.count() == 1


def test_somebody_alike_is_shown_before_anything_is_written(client: Client, clinic: Clinic) -> None:
    known = PatientFactory.create(clinic=clinic, name="Ana Torres", dob=date(1961, 4, 7))
    answer = register(client)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert Patient.objects.count() == 1
    assert reverse("desk:patient", args=[known.pk]) in page
    assert 'value="212 555 0134"' in page
    assert register(client, anyway="1").status_code == 302
    assert Patient.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dob": ""}, "required"),
        ({"dob": "2/30/1961"}, "real date of birth"),
        ({"dob": "4/7/21"}, "four digits"),
        ({"dob": "torres 4/7/1961"}, "real date of birth"),
        ({"phone": "12"}, "phone number"),
        ({"email": "ana@"}, "valid email"),
        ({"given_name": ""}, "required"),
        ({"family_name": "x" * 81}, "at most 80"),
        ({"given_name": "A\0na"}, "Null characters"),
        ({"language": "tlh"}, "valid choice"),
        ({"insurance_plan": "9" * 400}, "not a valid UUID"),
        ({"key": "short"}, "valid value"),
    ],
)
def test_what_cannot_be_is_asked_again_with_everything_kept(
    client: Client, changes: dict[str, str], words: str
) -> None:
    answer = register(client, **changes)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Patient.objects.count() == 0
    assert 'value="Torres"' in answer.content.decode() or "family_name" in changes


def test_a_year_of_two_digits_will_do_where_it_can_mean_one_only(client: Client) -> None:
    register(client, dob="4/7/61")
    assert Patient.objects.get().dob == date(1961, 4, 7)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("torres", {"family_name": "Torres"}),
        ("ana torres", {"given_name": "Ana", "family_name": "Torres"}),
        ("Torres, Ana María", {"given_name": "Ana María", "family_name": "Torres"}),
        ("McBride 4/7/61", {"family_name": "McBride", "dob": "4/7/1961"}),
        ("(212) 555-0134", {"phone": "2125550134"}),
        ("torres 0134", {"family_name": "Torres"}),
        ("", {}),
        ("--", {}),
    ],
)
def test_a_new_patient_inherits_what_the_finder_was_given(text: str, typed: dict[str, str]) -> None:
    assert typed_so_far(text, today=TODAY) == typed


def test_the_finders_text_fills_the_form_and_writes_nothing(client: Client) -> None:
    answer = client.post(reverse("desk:patient_new"), {"q": "torres, ana 4/7/61"})
    page = answer.content.decode()
    assert answer.status_code == 200
    for value in ("Ana", "Torres", "4/7/1961"):
        assert f'value="{value}"' in page
    assert Patient.objects.count() == 0


def test_the_booking_that_waits_goes_on_with_the_new_patient(client: Client) -> None:
    book = f"{reverse('desk:book')}?hold=1&type=FOLLOW_UP"
    answer = register(client, next=book)
    assert answer["Location"] == f"{book}&patient={Patient.objects.get().pk}"


@pytest.mark.parametrize(
    "address", ["https://evil.example/desk/book/", "//evil.example", "/admin/", "x\0", "/desk/"]
)
def test_nowhere_else_is_gone_on_to(client: Client, address: str) -> None:
    answer = register(client, next=address)
    if answer.status_code == 302:
        assert answer["Location"] == reverse("desk:patient", args=[Patient.objects.get().pk])
    else:
        assert answer.status_code == 422


def test_details_are_changed_and_the_rest_is_left_alone(client: Client, clinic: Clinic) -> None:
    patient = PatientFactory.create(clinic=clinic, address_line="1 Main Street")
    address = reverse("desk:patient_edit", args=[patient.pk])
    form = client.get(address).context["form"]
    typed = {name: form[name].value() for name in form.fields}
    assert typed["dob"] == "February 29, 1984"
    sent = {name: value for name, value in typed.items() if value not in {None, False}}
    answer = client.post(address, {**sent, "phone": "646 555 0199"})
    assert answer["Location"] == reverse("desk:patient", args=[patient.pk])
    patient.refresh_from_db()
    assert patient.phone == "+16465550199"
    assert (patient.dob, patient.address_line) == (date(1984, 2, 29), "1 Main Street")


def test_of_two_who_change_a_record_at_once_the_second_sees_both(
    client: Client, clinic: Clinic
) -> None:
    patient = PatientFactory.create(clinic=clinic, name="Ana Torres", city="Albany")
    address = reverse("desk:patient_edit", args=[patient.pk])
    seen = {**TYPED, "seen": client.get(address).context["form"]["seen"].value()}
    client.post(address, {**seen, "city": "Troy"})

    answer = client.post(address, {**seen, "phone": "646 555 0199"})
    assert answer.status_code == 409
    assert "On file now: Troy" in answer.content.decode()
    assert Patient.objects.get().phone == "+12125550134"

    form = answer.context["form"]
    meant = {**seen, "phone": form["phone"].value(), "seen": form["seen"].value()}
    assert client.post(address, {**meant, "city": "Troy"}).status_code == 302
    kept = Patient.objects.get()
    assert (kept.phone, kept.city) == ("+16465550199", "Troy")


def test_saving_the_details_of_an_online_booking_says_that_they_were_checked(
    client: Client, clinic: Clinic
) -> None:
    patient = PatientFactory.create(clinic=clinic, name="Ana Torres", is_provisional=True)
    page = client.get(reverse("desk:patient", args=[patient.pk])).content.decode()
    assert "An online booking made this record" in page
    client.post(
        reverse("desk:patient_edit", args=[patient.pk]), {**TYPED, "seen": stamp_of(patient)}
    )
    kept = Patient.objects.get()
    assert (kept.is_provisional, kept.dob) == (False, date(1961, 4, 7))


def test_wrong_details_change_nothing(client: Client, clinic: Clinic) -> None:
    patient = PatientFactory.create(clinic=clinic)
    address = reverse("desk:patient_edit", args=[patient.pk])
    assert client.post(address, {**TYPED, "dob": "never"}).status_code == 422
    kept = Patient.objects.get(pk=patient.pk)
    assert kept.given_name == patient.given_name


def test_who_may_only_look_cannot_register(user_without_rights: Client) -> None:
    assert user_without_rights.get(reverse("desk:patient_new")).status_code == 404


@pytest.fixture
def user_without_rights(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("nobody"))
    return client
