"""The finder and the patient's page, as requests."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from patients.models import AuditEntry, Patient
from patients.models.audit import Act
from providers.models import Clinic, Provider, Role, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import CancelReason, SlotHold
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    at,
    hold_of,
    next_monday,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def user(clinic: Clinic) -> User:
    return MembershipFactory.create(clinic=clinic).user


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ana(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ana Torres", phone="+12125550134")


def find(client: Client, text: str, *, htmx: bool = False, status: int = 200) -> str:
    answer = client.post(reverse("desk:finder"), {"q": text}, headers=HTMX if htmx else {})
    assert answer.status_code == status
    return answer.content.decode()


def test_the_finder_answers_with_a_page(client: Client, ana: Patient) -> None:
    page = find(client, "tor")
    assert reverse("desk:patient", args=[ana.pk]) in page
    assert "<html" in page
    assert "phone ending 0134" in page


def test_the_finder_answers_typing_with_a_fragment(client: Client, ana: Patient) -> None:
    fragment = find(client, "tor", htmx=True)
    assert reverse("desk:patient", args=[ana.pk]) in fragment
    assert "<html" not in fragment
    assert reverse("desk:patient_new") in fragment


@pytest.mark.usefixtures("ana")
def test_the_finder_says_how_much_it_needs(client: Client) -> None:
    fragment = find(client, "to", htmx=True)
    assert "at least 3" in fragment
    assert "Torres" not in fragment
    assert find(client, "", htmx=True) == ""


@pytest.mark.usefixtures("ana")
def test_nobody_found_is_said_and_offers_to_register(client: Client) -> None:
    page = find(client, "zzzz")
    assert "No patient found" in page
    assert "New patient with what you typed" in page


@pytest.mark.parametrize("text", ["x" * 101, "to\0rres", "x" * 100_000])
def test_a_text_that_cannot_be_one_is_a_422(client: Client, text: str) -> None:
    assert "too long" in find(client, text, status=422)
    find(client, text, htmx=True, status=422)


def test_what_was_typed_is_shown_as_text(client: Client) -> None:
    assert "<b>tor" not in find(client, "<b>tor")


def test_more_than_fits_is_said(client: Client, clinic: Clinic) -> None:
    PatientFactory.create_batch(21, clinic=clinic, family_name="Torres")
    page = find(client, "torres")
    assert page.count("phone ending") == 20
    assert "There are more" in page


def test_the_finders_queries_do_not_grow(
    client: Client, clinic: Clinic, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for patient in PatientFactory.create_batch(12, clinic=clinic, family_name="Torres"):
        AppointmentFactory.create(patient=patient, provider__clinic=clinic)
    find(client, "torres", htmx=True)  # the first of a worker reads everybody's name
    with django_assert_max_num_queries(8):
        assert find(client, "torres", htmx=True).count("next ") == 12


def test_a_patient_of_another_clinic_of_the_users_is_found_with_its_name(
    client: Client, user: User
) -> None:
    other = MembershipFactory.create(user=user, clinic=ClinicFactory.create(name="Zeta Clinic"))
    PatientFactory.create(clinic=other.clinic, name="Ana Torres")
    client.force_login(user)  # what a user may do has changed: earlier sessions have ended
    assert "Zeta Clinic</span>" in find(client, "torres", htmx=True)


def test_each_search_is_on_record_with_those_it_showed_and_nobody_else(
    client: Client, clinic: Clinic, user: User, ana: Patient
) -> None:
    PatientFactory.create(clinic=clinic, name="Bea Lopez")
    with override_settings(LOOKS_MUST_BE_RECORDED=True):
        for _ in range(2):
            find(client, "torres", htmx=True)
    rows = AuditEntry.objects.filter(actor=user, page="desk:finder", action=Act.SEARCH)
    assert [row.patient_ids for row in rows] == [[ana.pk]] * 2
    assert {"given_name", "family_name", "dob", "phone"} <= set(rows[0].field_names)
    reading = AuditEntry.objects.get(system_actor="system:search")
    assert (reading.patient_ids, reading.clinic_id) == ([], clinic.pk)


def test_a_strangers_patient_is_unknown(client: Client) -> None:
    stranger = PatientFactory.create(clinic=ClinicFactory.create(), name="Ana Torres")
    assert "No patient found" in find(client, "torres")
    for name in ("patient", "patient_edit"):
        address = reverse(f"desk:{name}", args=[stranger.pk])
        assert client.get(address).status_code == 404


def test_names_never_stand_in_an_address(client: Client) -> None:
    address = reverse("desk:finder")
    assert "No patient" not in client.get(address, {"q": "torres"}).content.decode()


def test_other_audiences_find_nothing_here(client: Client, clinic: Clinic, ana: Patient) -> None:
    provider = MembershipFactory.create(clinic=clinic, role=Role.PROVIDER).user
    elsewhere = Client()
    pages = [reverse("desk:finder"), reverse("desk:patient", args=[ana.pk])]
    for address in pages:
        assert elsewhere.get(address).status_code == 302
    elsewhere.force_login(provider)
    for address in pages:
        assert elsewhere.get(address).status_code == 404


def test_the_patients_page_tells_who_how_and_when(
    client: Client, ana: Patient, provider: Provider, visit_type: VisitType, desk: Actor
) -> None:
    monday = next_monday()
    made = {"provider": provider, "patient": ana, "visit_type": visit_type}
    AppointmentFactory.create(**made, start=at(monday, "09:00"))
    AppointmentFactory.create(**made, start=at(monday - timedelta(weeks=4), "10:00"))
    off = AppointmentFactory.create(**made, start=at(monday, "11:00"))
    booking.cancel(
        appointment=off, reason=CancelReason.PATIENT_REQUEST, by=desk, now=timezone.now()
    )
    answer = client.get(reverse("desk:patient", args=[ana.pk]))
    page = answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "born February 29, 1984" in page
    assert "(212) 555-0134" in page
    upcoming, past = page.split("Past and cancelled visits")
    assert "9:00\xa0am" in upcoming
    assert "11:00\xa0am" not in upcoming
    assert "10:00\xa0am" in past
    assert "11:00\xa0am" in past
    assert f"{reverse('desk:book')}?patient={ana.pk}" in page


def test_the_patients_page_is_eight_queries_at_most(
    client: Client,
    clinic: Clinic,
    ana: Patient,
    provider: Provider,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(12):
        start = at(next_monday(number - 6), "09:00")
        AppointmentFactory.create(patient=ana, provider=provider, start=start)
    client.get(reverse("desk:shortcuts"))  # the menu counts what waits, every 20 seconds
    with django_assert_max_num_queries(8):
        client.get(reverse("desk:patient", args=[ana.pk]))


def test_a_merged_record_leads_to_the_one_that_is_kept(
    client: Client, clinic: Clinic, ana: Patient
) -> None:
    double = PatientFactory.create(clinic=clinic, merged_into=ana)
    answer = client.get(reverse("desk:patient", args=[double.pk]))
    assert answer["Location"] == reverse("desk:patient", args=[ana.pk])


def test_a_kept_time_stands_on_the_patients_page_ready_to_be_booked(
    client: Client, user: User, ana: Patient, provider: Provider, visit_type: VisitType
) -> None:
    hold = hold_of(
        provider,
        visit_type,
        at(next_monday(), "09:00"),
        holder=str(user.pk),
        purpose=SlotHold.Purpose.PHONE,
        by=Actor.staff(user.pk),
    )
    page = client.get(reverse("desk:patient", args=[ana.pk])).content.decode()
    assert "Book it for Ana" in page
    assert f"hold={hold.pk}&amp;patient={ana.pk}" in page


def test_a_role_at_one_clinic_does_nothing_for_own_patients_at_another(
    client: Client, user: User, provider: Provider, visit_type: VisitType
) -> None:
    """Who works at this desk, and elsewhere as a provider, is a provider only elsewhere."""
    elsewhere = ClinicFactory.create()
    MembershipFactory.create(user=user, clinic=elsewhere, role=Role.PROVIDER)
    treating = ProviderFactory.create(clinic=elsewhere, user=user, working=True)
    visit = AppointmentFactory.create(provider=treating)
    theirs = visit.patient
    assert Patient.objects.visible_to(user).filter(pk=theirs.pk).exists()
    client.force_login(user)  # a new role has ended the sign-in

    assert client.get(reverse("desk:patient", args=[theirs.pk])).status_code == 404
    assert reverse("desk:patient", args=[theirs.pk]) not in find(client, visit.reference)
    start = at(next_monday(), "09:00").isoformat()
    asked = {"provider": str(provider.pk), "start": start, "patient": str(theirs.pk)}
    assert client.get(reverse("desk:book"), asked).status_code == 404
    known = {"type": visit_type.code, "patient": str(theirs.pk)}
    assert client.get(reverse("desk:next_available"), known).status_code == 404
    keep = {**known, "start": start, "provider": provider.pk, "clinic": provider.clinic_id}
    assert client.post(reverse("desk:hold_place"), keep).status_code == 404
    assert not SlotHold.objects.exists()
