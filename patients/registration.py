"""Who is on file, and which portal account opens whose records.

Access follows the contact on file: a code proves control of an e-mail address, and whoever
controls it sees the records that have it, a family's shared address all of them. A changed
address closes the old account's door. Nothing is ever linked by name and date of birth.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from patients.models import Patient
from providers.fields import new_id
from providers.models import Clinic

ACCOUNT_PREFIX = "p-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a person told us; e-mail and phone normalised as `patients.contacts` does."""

    given_name: str
    family_name: str
    dob: date | None = None
    name_suffix: str = ""
    sex: str = Patient.Sex.UNKNOWN
    email: str = ""
    phone: str = ""
    phone_is_textable: bool = False
    address_line: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    insurance_plan_id: UUID | None = None
    insurance_member_id: str = ""
    language: str = "en"
    needs_interpreter: bool = False

    @classmethod
    def of(cls, patient: Patient) -> Details:
        """Return what is on file now."""
        return cls(**{name: getattr(patient, name) for name in cls.__dataclass_fields__})


class AccountClosed(Exception):
    """The contact's portal account was deactivated; the clinic has to be asked."""


def register(*, clinic: Clinic, details: Details) -> Patient:
    """Make the record of somebody whom the clinic's desk has before it, or on the phone."""
    return Patient.objects.create(clinic=clinic, **asdict(details))


def register_provisional(*, clinic: Clinic, details: Details) -> Patient:
    """Make the record of an anonymous booking, after a code proved its contact.

    Always a record of its own: that somebody of this name and birthday is a patient here is
    neither used nor given away. The clinic merges the two once it has looked.
    """
    return Patient.objects.create(clinic=clinic, is_provisional=True, **asdict(details))


class DetailsChanged(Exception):
    """Somebody else has changed the record since it was read."""


def stamp_of(patient: Patient) -> str:
    """Return what tells one state of a record from the next, and nothing about what it says."""
    told = json.dumps(asdict(Details.of(patient)), sort_keys=True, default=str)
    return salted_hmac("patients.details", f"{patient.pk}:{told}", algorithm="sha256").hexdigest()


@transaction.atomic
def update_details(*, patient: Patient, details: Details, seen: str) -> Patient:
    """Write what differs from the record, and nothing else; return the record as it then is.

    `seen` is the stamp of the state that was read before `details` were typed. A new e-mail
    address takes the record away from the portal account that it had. Raises DetailsChanged
    unless the record says by now what it was to say.
    """
    patient = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    known, wanted = asdict(Details.of(patient)), asdict(details)
    changed = [name for name, value in wanted.items() if value != known[name]]
    if changed and not constant_time_compare(stamp_of(patient), seen):
        raise DetailsChanged
    for name in changed:
        setattr(patient, name, wanted[name])
    if "email" in changed:  # whatever account the row has by now
        patient.user = None
        changed.append("user")
    if changed:
        patient.save(update_fields=changed)
    return patient


def vouch_for(*, patient: Patient) -> Patient:
    """Note that the clinic has checked the record that an online booking made."""
    if patient.is_provisional:
        patient.is_provisional = False
        patient.save(update_fields=["is_provisional"])
    return patient


@transaction.atomic
def account_for(contact_index: bytes) -> User | None:
    """Return the account of a proven e-mail address, with all its records linked to it.

    None where no record has the address. An account is taken over only if it is a portal account
    and every record that it opens has this address; otherwise a new one is made, without name
    or e-mail. Raises AccountClosed if one of the accounts concerned was deactivated.
    """
    on_file = Patient.objects.filter(email_index=contact_index, merged_into=None)
    records = list(on_file.select_for_update().order_by("pk"))
    if not records:
        return None
    account = _known_account(records, contact_index) or _new_account()
    on_file.exclude(user=account).update(user=account)
    return account


def _known_account(records: Iterable[Patient], contact_index: bytes) -> User | None:
    linked = User.objects.filter(
        pk__in={record.user_id for record in records if record.user_id},
        username__startswith=ACCOUNT_PREFIX,
    ).order_by("pk")
    for account in linked:
        if not account.is_active:
            raise AccountClosed
        others = Patient.objects.filter(user=account).exclude(email_index=contact_index)
        if not others.exists():
            return account
    return None


def _new_account() -> User:
    account = User(username=f"{ACCOUNT_PREFIX}{new_id()}")
    account.set_unusable_password()
    account.save()
    return account


def likely_duplicates(
    *, clinic: Clinic, details: Details, besides: Patient | None = None
) -> list[Patient]:
    """Return the clinic's records that may be this person's: a warning for the desk, no verdict.

    Same contact, or same date of birth and a name that is alike. Reads every record of the
    clinic's once, because names and birthdays cannot be searched.
    """
    records = Patient.objects.filter(clinic=clinic, merged_into=None)
    if besides is not None:
        records = records.exclude(pk=besides.pk)
    return [record for record in records.iterator() if _is_alike(record, details)]


def _is_alike(record: Patient, details: Details) -> bool:
    if details.email and record.email == details.email:
        return True
    if details.phone and record.phone == details.phone:
        return True
    if details.dob is None or record.dob != details.dob:
        return False
    return bool(
        name_parts(record.full_name) & name_parts(f"{details.given_name} {details.family_name}")
    )


def name_parts(name: str) -> frozenset[str]:
    """Return a name's words as they are compared: "De la Peña-Ruiz" → {de, la, pena, ruiz}."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("-", " "))
    return frozenset("".join(c for c in plain if not unicodedata.combining(c)).split())
