"""What a patient chose about messages, and who said so when.

Decides which rows a choice leaves. Knows no page and no vendor, and never lifts a suppression:
whoever said STOP to the carrier says START there.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse

from patients.merging import survivor
from patients.models import Patient
from reminders.kinds import Channel
from reminders.models import ConsentChange, ContactPreference

COLUMNS = {Channel.EMAIL: "email", Channel.SMS: "sms", Channel.PUSH: "push"}
Source = ConsentChange.Source


class LinkInvalid(Exception):
    """An address in an e-mail that nobody here has signed."""


def preference_of(patient: Patient) -> ContactPreference:
    """Return what the patient chose; a row that is not saved, with everything on, where nothing."""
    found = ContactPreference.objects.filter(patient=patient.pk).first()
    return found or ContactPreference(patient=patient)


def choose(
    *,
    patient: Patient,
    email: bool,
    sms: bool,
    push: bool,
    quiet_from: time,
    quiet_until: time,
    muted: Collection[str],
    language: str,
    source: str,
    by_user: User | None,
    now: datetime,
) -> ContactPreference:
    """Keep what somebody chose for a patient, and a row of consent for each channel that changed.

    `muted` are values of `Kind`, `source` is a ConsentChange.Source, `language` a BCP 47 tag;
    quiet hours are wall-clock times of the patient's zone and may wrap midnight.
    """
    with transaction.atomic():
        row = locked(patient)
        row.quiet_from, row.quiet_until, row.muted = quiet_from, quiet_until, sorted(muted)
        wanted = {Channel.EMAIL: email, Channel.SMS: sms, Channel.PUSH: push}
        _say(row, wanted, source=source, by_user=by_user, now=now)
        row.save()
        if patient.language != language:
            patient.language = language
            patient.save(update_fields=["language"])
    return row


def switch(
    *,
    patient: Patient,
    channel: Channel,
    on: bool,
    source: str,
    by_user: User | None,
    now: datetime,
) -> ContactPreference:
    """Switch one channel on or off, and leave the rest as it is."""
    with transaction.atomic():
        row = locked(patient)
        _say(row, {channel: on}, source=source, by_user=by_user, now=now)
        row.save(update_fields=[COLUMNS[channel], "updated_at"])
    return row


def stop_all(
    *, patient: Patient, source: str, by_user: User | None, now: datetime
) -> ContactPreference:
    """Switch every channel off, and leave the rest as it is."""
    with transaction.atomic():
        row = locked(patient)
        _say(row, dict.fromkeys(COLUMNS, False), source=source, by_user=by_user, now=now)
        row.save(update_fields=[*COLUMNS.values(), "updated_at"])
    return row


def agreed(
    *, patient: Patient, channel: Channel, source: str, by_user: User | None, now: datetime
) -> None:
    """Write down that somebody asked for a channel, although it was not switched off before."""
    with transaction.atomic():
        row = locked(patient)
        setattr(row, COLUMNS[channel], True)
        row.save(update_fields=[COLUMNS[channel], "updated_at"])
        _tell(row, channel, given=True, source=source, by_user=by_user, now=now)


def locked(patient: Patient) -> ContactPreference:
    """Return the patient's row, made where there is none; who chooses at the same time waits."""
    rows = ContactPreference.objects
    rows.bulk_create([ContactPreference(patient=patient)], ignore_conflicts=True)
    row: ContactPreference = rows.select_for_update().get(patient=patient.pk)
    return row


def _say(
    row: ContactPreference,
    wanted: dict[Channel, bool],
    *,
    source: str,
    by_user: User | None,
    now: datetime,
) -> None:
    for channel, given in wanted.items():
        if getattr(row, COLUMNS[channel]) != given:
            setattr(row, COLUMNS[channel], given)
            _tell(row, channel, given=given, source=source, by_user=by_user, now=now)


def _tell(
    row: ContactPreference,
    channel: Channel,
    *,
    given: bool,
    source: str,
    by_user: User | None,
    now: datetime,
) -> None:
    ConsentChange.objects.create(
        patient_id=row.patient_id,
        channel=channel.value,
        given=given,
        source=source,
        by_user=by_user,
        at=now,
    )


def unsubscribe_token(patient: Patient) -> str:
    """Return what an e-mail's unsubscribe link carries: the record's id, signed. It never ends."""
    return _signer().sign(patient.pk.hex)


def unsubscribe_url(patient: Patient) -> str:
    """Return the whole address at which e-mails to this patient can be stopped."""
    path = reverse("portal:unsubscribe", args=[unsubscribe_token(patient)])
    return f"{settings.SITE_URL}{path}"


def patient_of(token: str) -> Patient:
    """Return whom a token stops e-mails for. Raises LinkInvalid.

    A record that was joined into another since stands for the one that survived.
    """
    try:
        pk = UUID(hex=_signer().unsign(token))
    except (BadSignature, ValueError):
        raise LinkInvalid from None
    rows = Patient.objects.select_related("clinic__time_zone", "merged_into")
    patient = rows.filter(pk=pk).first()
    if patient is None:
        raise LinkInvalid
    return survivor(patient)


def _signer() -> Signer:
    return Signer(salt="reminders.unsubscribe", sep=".")
