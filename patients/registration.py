"""Who is on file, and which portal account opens whose records.

Access follows the contact on file: a code proves control of an e-mail address or number, and
whoever controls it sees the records that have it, a family's shared address all of them. A
changed contact closes the old account's door. Nothing is ever linked by name and date of birth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.module_loading import import_string

from patients.contact_changes import address_left
from patients.models import Patient
from patients.models.audit import Act
from patients.privacy import audit
from patients.suggesting import suggest_later
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
    """Make the record of somebody whom the clinic's desk has before it, or on the phone.

    The desk has been shown who is alike; the queue of suspected doubles hears of them too.
    """
    return _made(Patient(clinic=clinic, **asdict(details)))


def register_provisional(*, clinic: Clinic, details: Details) -> Patient:
    """Make the record of an anonymous booking, after a code proved its contact.

    Always a record of its own: that somebody of this name and birthday is a patient here is
    neither used nor given away. The clinic joins the two once it has looked.
    """
    return _made(Patient(clinic=clinic, is_provisional=True, **asdict(details)))


def _made(patient: Patient) -> Patient:
    """Write a new record, have the worker look for others of the same person, and tell everybody
    named in settings.REGISTRATION_HANDLERS; all of it, or nothing."""
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        patient.save(force_insert=True)
        suggest_later([patient.pk])
        for handler in _handlers(tuple(settings.REGISTRATION_HANDLERS)):
            handler(patient)
    return patient


@lru_cache(maxsize=4)
def _handlers(paths: tuple[str, ...]) -> tuple[Callable[[Patient], None], ...]:
    return tuple(import_string(path) for path in paths)


class DetailsChanged(Exception):
    """Somebody else has changed the record since it was read, or joined it into another."""


def stamp_of(patient: Patient) -> str:
    """Return what tells one state of a record from the next, and nothing about what it says."""
    told = json.dumps(asdict(Details.of(patient)), sort_keys=True, default=str)
    return salted_hmac("patients.details", f"{patient.pk}:{told}", algorithm="sha256").hexdigest()


@transaction.atomic
def update_details(*, patient: Patient, details: Details, seen: str) -> Patient:
    """Write what differs from the record, and nothing else; return the record as it then is.

    `seen` is the stamp of the state that was read before `details` were typed. A new e-mail
    address, or another number in place of one, takes the record away from the portal account that
    it had. Raises DetailsChanged unless the record says by now what it was to say.
    """
    patient = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    if patient.merged_into_id is not None:
        raise DetailsChanged
    known, wanted = asdict(Details.of(patient)), asdict(details)
    changed = [name for name, value in wanted.items() if value != known[name]]
    if changed and not constant_time_compare(stamp_of(patient), seen):
        raise DetailsChanged
    for name in changed:
        setattr(patient, name, wanted[name])
    proof_left = "email" in changed or ("phone" in changed and known["phone"] != "")
    if proof_left:  # whatever account the row has by now
        patient.user = None
        changed.append("user")
    if changed:
        patient.save(update_fields=changed)
    if proof_left:
        address_left(patient)
    return patient


def vouch_for(*, patient: Patient) -> Patient:
    """Note that the clinic has checked the record that an online booking made."""
    if patient.is_provisional:
        patient.is_provisional = False
        patient.save(update_fields=["is_provisional"])
    return patient


@transaction.atomic
def account_for(*contact_indexes: bytes) -> User | None:
    """Return the account of a proven e-mail address or number, with all its records linked to it.

    None where no record has the contact. An account is taken over only if it is a portal account
    and every record that it opens has this contact; otherwise a new one is made, without name
    or e-mail. Raises AccountClosed if one of the accounts concerned was deactivated.
    """
    on_file = Patient.objects.filter(_has(contact_indexes), merged_into=None)
    records = list(on_file.select_for_update().order_by("pk"))
    if not records:
        return None
    account = _known_account(records, contact_indexes) or _new_account()
    opened = [record.pk for record in records if record.user_id != account.pk]
    if opened:
        Patient.objects.filter(pk__in=opened).update(user=account)
        audit.record(
            action=Act.UPDATE, patients=opened, fields=["user"], purpose="sign_in", by=account
        )
    return account


def _known_account(records: Iterable[Patient], contact_indexes: Iterable[bytes]) -> User | None:
    linked = User.objects.filter(
        pk__in={record.user_id for record in records if record.user_id},
        username__startswith=ACCOUNT_PREFIX,
    ).order_by("pk")
    for account in linked:
        if not account.is_active:
            raise AccountClosed
        others = Patient.objects.filter(user=account).exclude(_has(contact_indexes))
        if not others.exists():
            return account
    return None


def _has(contact_indexes: Iterable[bytes]) -> Q:
    """An index tells the column as well: no number has the index of an address."""
    digests = list(contact_indexes)
    return Q(email_index__in=digests) | Q(phone_index__in=digests)


def _new_account() -> User:
    account = User(username=f"{ACCOUNT_PREFIX}{new_id()}")
    account.set_unusable_password()
    account.save()
    return account
