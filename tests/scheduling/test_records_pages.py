"""The desk's pages of records that may be one person's: compare, check, join, part, tell apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertNumQueries

from patients.models import AuditEntry, MatchCandidate, Patient, PatientMerge
from patients.models.audit import Act
from patients.registration import Details, register, stamp_of, update_details
from patients.suggesting import suggest
from providers.models import Clinic, Provider, Role, VisitType
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, PatientFactory, ProviderFactory, at, next_monday
from tests.page_forms import forms_in
from tests.scheduling.desk_cast import at_the_desk, shown

pytestmark = pytest.mark.django_db(transaction=True)
NINE = at(next_monday(1), "09:00")
ADA = Details(
    given_name="Ada",
    family_name="Moreno",
    dob=date(1984, 2, 29),
    email="ada@mail.example",
    phone="+12125550100",
)


@pytest.fixture
def client(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


@pytest.fixture
def one(clinic: Clinic) -> Patient:
    return register(clinic=clinic, details=ADA)


@pytest.fixture
def other(clinic: Clinic, one: Patient) -> Patient:
    told = replace(ADA, family_name="Moreno-Ruiz", email="old@mail.example", city="Troy")
    return register(clinic=clinic, details=told)


@pytest.fixture
def pair(one: Patient, other: Patient) -> MatchCandidate:
    suggest([str(other.pk)])
    return MatchCandidate.objects.get()


def url(name: str, row: Any = None) -> str:
    return reverse(f"records:{name}", args=[row.pk] if row else [])


def join(client: Client, pair: MatchCandidate, **chosen: str) -> Any:
    """Go from the comparison over the check page to the joined records, as a browser does."""
    onwards = client.post(url("pair", pair), {"keep": "one", **chosen})
    assert onwards.status_code == 302
    checked = client.get(onwards["Location"])
    form = next(f for f in forms_in(checked.content.decode()) if "seen_keep" in f.fields)
    return client.post(url("check", pair), form.data())


def test_the_queue_shows_who_and_why_and_what_is_decided_leaves_it(
    client: Client, pair: MatchCandidate
) -> None:
    page = shown(client.get(url("queue")))
    assert "Ada Moreno, February 29, 1984" in page
    assert "last name in part" in page
    assert client.post(url("apart", pair)).status_code == 302
    page = shown(client.get(url("queue")))
    assert "Noted: different people" in page
    assert "Nothing to compare" in page


def test_the_comparison_says_in_words_where_the_two_differ(
    client: Client, pair: MatchCandidate, one: Patient
) -> None:
    answer = client.get(url("pair", pair))
    lines = {line.part: line.verdict for line, _chosen in answer.context["lines"]}
    first_is_a = pair.one_id == one.pk
    assert lines["name"] == lines["email"] == "different"
    assert lines["dob"] == lines["phone"] == "same"
    assert lines["address"] == ("only-other" if first_is_a else "only-one")
    page = shown(answer)
    for words in ("Different", "Same", "Only in B" if first_is_a else "Only in A"):
        assert words in page


def test_the_record_that_stays_must_be_chosen(client: Client, pair: MatchCandidate) -> None:
    answer = client.post(url("pair", pair), {"name": "one"})
    assert answer.status_code == 422
    assert "Choose the record that stays" in shown(answer)


def test_two_records_become_one_as_chosen(client: Client, pair: MatchCandidate) -> None:
    answer = join(client, pair, name="other", email="one")
    merge = PatientMerge.objects.get()
    assert answer["Location"] == url("merge", merge)
    kept = Patient.objects.get(pk=pair.one_id)
    assert kept.full_name == Patient.objects.get(pk=pair.other_id).full_name
    assert kept.email == Patient.objects.get(pk=pair.one_id).email
    old = client.get(reverse("desk:patient", args=[pair.other_id]))
    assert old["Location"] == reverse("desk:patient", args=[pair.one_id])
    row = AuditEntry.objects.get(action=Act.MERGE)
    assert set(row.patient_ids) == {pair.one_id, pair.other_id}


def test_the_check_page_writes_nothing_and_shows_what_will_be(
    client: Client, pair: MatchCandidate
) -> None:
    page = client.get(f"{url('check', pair)}?keep=one&take=name")
    assert Patient.objects.get(pk=pair.other_id).full_name in shown(page)
    assert not PatientMerge.objects.exists()


def test_joining_twice_leads_to_what_the_first_did(client: Client, pair: MatchCandidate) -> None:
    first = join(client, pair)
    merge = PatientMerge.objects.get()
    again = client.post(url("check", pair), {"keep": "one", "seen_keep": "x", "seen_away": "x"})
    assert first["Location"] == again["Location"] == url("merge", merge)
    for name in ("pair", "check"):
        answer = client.get(f"{url(name, pair)}?keep=one")
        assert answer["Location"] == url("merge", merge)


def test_what_changed_since_the_check_is_shown_before_anything_is_joined(
    client: Client, pair: MatchCandidate
) -> None:
    checked = client.get(f"{url('check', pair)}?keep=one")
    form = next(f for f in forms_in(checked.content.decode()) if "seen_keep" in f.fields)
    row = Patient.objects.get(pk=pair.one_id)
    told = replace(Details.of(row), address_line="9 Elm Avenue")
    update_details(patient=row, details=told, seen=stamp_of(row))
    refused = client.post(url("check", pair), form.data())
    assert refused.status_code == 409
    assert "9 Elm Avenue" in shown(refused)
    assert not PatientMerge.objects.exists()
    form = next(f for f in forms_in(refused.content.decode()) if "seen_keep" in f.fields)
    assert client.post(url("check", pair), form.data()).status_code == 302


def test_visits_at_one_time_are_named_and_nothing_can_be_joined(
    client: Client, pair: MatchCandidate, provider: Provider, visit_type: VisitType
) -> None:
    colleague = ProviderFactory.create(clinic=pair.clinic, name="Dr. Elif Aksoy", working=True)
    for record, seen_by in ((pair.one, provider), (pair.other, colleague)):
        AppointmentFactory.create(
            patient=record, provider=seen_by, visit_type=visit_type, start=NINE
        )
    page = client.get(f"{url('check', pair)}?keep=one")
    assert "Dr. Elif Aksoy" in shown(page)
    assert "Join the two records" not in shown(page)
    seen = {"seen_keep": stamp_of(pair.one), "seen_away": stamp_of(pair.other)}
    forced = client.post(url("check", pair), {"keep": "one", **seen})
    assert forced.status_code == 409
    for visit in Appointment.objects.all():
        assert reverse("desk:appointment", args=[visit.pk]) in forced.content.decode()
    assert not PatientMerge.objects.exists()


def test_whose_account_will_no_longer_open_the_record_is_said(
    client: Client, pair: MatchCandidate
) -> None:
    account = User.objects.create_user("p-somebody")
    Patient.objects.filter(pk=pair.other_id).update(user=account)
    stays = shown(client.get(f"{url('check', pair)}?keep=one"))
    assert "One portal account will no longer open" in stays
    comes = shown(client.get(f"{url('check', pair)}?keep=one&take=email"))
    assert "One portal account" not in comes


def test_a_mistake_is_taken_apart_again(client: Client, pair: MatchCandidate) -> None:
    join(client, pair)
    merge = PatientMerge.objects.get()
    assert Patient.objects.get(pk=merge.keep_id).full_name in shown(client.get(url("merges")))
    assert client.post(url("merge", merge))["Location"] == url("merge", merge)
    page = shown(client.get(url("merge", merge)))
    assert "The two records are apart again" in page
    assert "Taken apart" in page
    assert Patient.objects.filter(merged_into=None).count() == 2
    assert client.post(url("merge", merge)).status_code == 302
    assert MatchCandidate.objects.waiting().count() == 1


def test_what_is_part_of_another_record_by_now_cannot_be_taken_apart(
    client: Client, clinic: Clinic, pair: MatchCandidate
) -> None:
    join(client, pair)
    merge = PatientMerge.objects.get()
    last = PatientFactory.create(clinic=clinic)
    found = client.post(url("of", last), {"other": str(merge.keep_id)})
    new = MatchCandidate.objects.exclude(pk=pair.pk).get()
    assert found["Location"] == url("pair", new)
    join(client, new, keep="one" if new.one_id == last.pk else "other")
    refused = client.post(url("merge", merge))
    assert refused.status_code == 409
    assert "Take those apart first" in shown(refused)


def test_another_record_is_found_by_likeness_and_by_search(
    client: Client, clinic: Clinic, one: Patient, other: Patient
) -> None:
    PatientFactory.create(clinic=clinic, name="Yolanda Quispe")
    page = shown(client.get(url("of", one)))
    assert "Moreno-Ruiz" in page
    assert "Quispe" not in page
    assert "Yolanda Quispe" in shown(client.post(url("of", one), {"q": "quispe"}))
    assert "Nobody was found" in shown(client.post(url("of", one), {"q": "zzzz"}))
    for nobody in ("x", str(one.pk), str(uuid4()), str(PatientFactory.create().pk)):
        assert client.post(url("of", one), {"other": nobody}).status_code in {404, 422}


def test_the_details_of_a_record_that_was_joined_are_the_survivors(
    client: Client, pair: MatchCandidate
) -> None:
    edit = reverse("desk:patient_edit", args=[pair.other_id])
    form = client.get(edit).context["form"]
    typed = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in typed.items() if value not in {None, False}}
    join(client, pair)
    refused = client.post(edit, {**sent, "city": "Albany"})
    assert refused.status_code == 409
    assert 'value="Albany"' in refused.content.decode()
    meant = {**sent, "city": "Albany", "seen": refused.context["form"]["seen"].value()}
    saved = client.post(edit, meant)
    assert saved["Location"] == reverse("desk:patient", args=[pair.one_id])
    assert Patient.objects.get(pk=pair.one_id).city == "Albany"


def test_the_warning_at_the_desk_says_what_agrees_and_what_does_not(
    client: Client, one: Patient
) -> None:
    typed = {"given_name": "Ada", "family_name": "Morenno", "dob": "2/29/1984", "language": "en"}
    typed |= {"sex": "unknown", "phone": "212 555 0199", "key": "k" * 32}
    page = shown(client.post(reverse("desk:patient_new"), typed))
    assert "last name nearly the same, same date of birth, other phone" in page


def test_a_pair_of_another_clinic_is_nowhere(pair: MatchCandidate) -> None:
    stranger = at_the_desk(PatientFactory.create().clinic)
    assert "Moreno" not in shown(stranger.get(url("queue")))
    assert stranger.get(url("pair", pair)).status_code == 404
    assert stranger.post(url("apart", pair)).status_code == 404
    assert MatchCandidate.objects.get().state == MatchCandidate.State.OPEN


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.PRIVACY_OFFICER])
def test_who_does_not_keep_the_records_has_no_queue(clinic: Clinic, role: Role) -> None:
    assert at_the_desk(clinic, role).get(url("queue")).status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_queue(
    client: Client, clinic: Clinic, pair: MatchCandidate
) -> None:
    client.get(url("queue"))
    with assertNumQueries(6) as few:
        client.get(url("queue"))
    for _ in range(8):
        suggest([str(register(clinic=clinic, details=ADA).pk)])
    with assertNumQueries(len(few)):
        client.get(url("queue"))
