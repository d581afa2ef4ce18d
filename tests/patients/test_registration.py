from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from django.contrib.auth.models import User

from patients.models import Patient, contact_index
from patients.registration import (
    AccountClosed,
    Details,
    DetailsChanged,
    account_for,
    register,
    register_provisional,
    stamp_of,
    update_details,
)
from providers.models import Clinic
from tests.factories import PatientFactory, UserFactory

EMAIL = "family@mail.example"
ADA = Details(
    given_name="Ada", family_name="Moreno", dob=date(1984, 2, 29), email=EMAIL, phone="+12125550143"
)


def proven(email: str = EMAIL) -> User | None:
    return account_for(contact_index("email", email))


def test_the_desk_registers_a_record_that_needs_no_second_look(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)

    patient.refresh_from_db()
    assert Details.of(patient) == ADA
    assert not patient.is_provisional
    assert patient in Patient.objects.reached_at(email=EMAIL)


def test_an_anonymous_booking_makes_a_record_of_its_own_for_the_clinic_to_look_at(
    clinic: Clinic,
) -> None:
    known = register(clinic=clinic, details=replace(ADA, email="other@mail.example"))

    patient = register_provisional(clinic=clinic, details=ADA)

    assert patient.is_provisional
    assert patient.pk != known.pk
    assert patient.user is None


def change(patient: Patient, details: Details) -> Patient:
    return update_details(patient=patient, details=details, seen=stamp_of(patient))


def test_a_changed_number_is_found_by(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)

    changed = change(patient, replace(ADA, phone="+12125550199"))

    assert changed.phone == "+12125550199"
    assert patient in Patient.objects.reached_at(phone="+12125550199")


def test_a_neighbours_edit_is_not_written_over(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)
    change(patient, replace(ADA, language="es"))

    with pytest.raises(DetailsChanged):
        change(patient, replace(ADA, phone="+12125550199"))

    patient.refresh_from_db()
    assert (patient.phone, patient.language) == (ADA.phone, "es")


def test_the_same_change_sent_twice_is_made_once(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)
    for _ in range(2):
        changed = change(patient, replace(ADA, city="Albany"))
    assert changed.city == "Albany"


def test_a_new_address_closes_the_old_accounts_door(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)
    account = proven()

    change(patient, replace(ADA, email="new@mail.example"))

    assert patient not in Patient.objects.visible_to(account)  # type: ignore[arg-type]


def test_another_number_closes_the_old_accounts_door_too(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)
    by_number = account_for(contact_index("phone", ADA.phone))

    change(patient, replace(ADA, phone="+12125550999"))

    assert patient not in Patient.objects.visible_to(by_number)  # type: ignore[arg-type]
    assert account_for(contact_index("phone", ADA.phone)) is None


def test_a_first_number_leaves_the_account_alone(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=replace(ADA, phone=""))
    account = proven()
    patient.refresh_from_db()

    change(patient, ADA)

    assert patient in Patient.objects.visible_to(account)  # type: ignore[arg-type]


def test_other_changes_leave_the_account_alone(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)
    account = proven()
    patient.refresh_from_db()

    change(patient, replace(ADA, city="Albany"))

    assert patient in Patient.objects.visible_to(account)  # type: ignore[arg-type]


def test_an_account_says_nothing_about_its_patient(clinic: Clinic) -> None:
    register(clinic=clinic, details=ADA)

    account = proven()

    assert account is not None
    assert account.username.startswith("p-")
    assert (account.email, account.first_name, account.last_name) == ("", "", "")
    assert not account.has_usable_password()
    assert not account.is_staff


def test_a_proven_address_opens_every_record_that_has_it(clinic: Clinic) -> None:
    parent = register(clinic=clinic, details=ADA)
    child = register(clinic=clinic, details=replace(ADA, given_name="Ben", dob=date(2020, 1, 1)))
    stranger = PatientFactory.create(clinic=clinic)

    seen = Patient.objects.visible_to(proven())  # type: ignore[arg-type]

    assert set(seen) == {parent, child}
    assert stranger not in seen


def test_signing_in_again_opens_the_same_account(clinic: Clinic) -> None:
    register(clinic=clinic, details=ADA)

    assert proven() == proven()


def test_a_proven_number_opens_what_has_it_and_an_address_is_no_number(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)
    other = register(clinic=clinic, details=replace(ADA, phone="+12125550999"))

    seen = Patient.objects.visible_to(
        account_for(contact_index("phone", ADA.phone))  # type: ignore[arg-type]
    )

    assert (patient in seen, other in seen) == (True, False)
    assert account_for(contact_index("email", ADA.phone)) is None


def test_an_address_that_nobody_has_opens_nothing(clinic: Clinic) -> None:
    assert proven("nobody@mail.example") is None
    assert not User.objects.exists()


def test_a_merged_record_is_not_opened(clinic: Clinic) -> None:
    kept = register(clinic=clinic, details=replace(ADA, email="kept@mail.example"))
    merged = register(clinic=clinic, details=ADA)
    Patient.objects.filter(pk=merged.pk).update(merged_into=kept)

    assert proven() is None


def test_an_account_that_opens_other_addresses_records_is_not_taken_over(clinic: Clinic) -> None:
    """A record whose address was changed past our verbs, by an import for example."""
    moved, stayed = (register(clinic=clinic, details=ADA) for _ in range(2))
    old = proven()
    moved.refresh_from_db()
    moved.email = "new@mail.example"
    moved.save(update_fields=["email"])

    new = proven("new@mail.example")

    assert new != old
    moved.refresh_from_db()
    stayed.refresh_from_db()
    assert (moved.user, stayed.user) == (new, old)


def test_a_staff_account_is_never_signed_in_by_a_code(clinic: Clinic) -> None:
    patient = register(clinic=clinic, details=ADA)
    staff = UserFactory.create()
    Patient.objects.filter(pk=patient.pk).update(user=staff)

    account = proven()

    assert account is not None
    assert account != staff


def test_a_deactivated_account_stays_closed(clinic: Clinic) -> None:
    register(clinic=clinic, details=ADA)
    account = proven()
    User.objects.filter(pk=account.pk).update(is_active=False)  # type: ignore[union-attr]

    with pytest.raises(AccountClosed):
        proven()
