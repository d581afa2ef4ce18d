"""How a patient can be reached by a channel, or why not: contacts on file, choices, suppressions.

Opens no address: its blind index says whether there is one. Knows neither clock nor caps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from patients.indexes import contact_index, contact_indexes
from patients.models import OneTimeCode, Patient
from reminders.channels import registry
from reminders.kinds import Channel, NoticeKind, Why
from reminders.models import ContactPreference, InboundText, PushSubscription, Suppression

CONTACTS = {Channel.EMAIL: "email", Channel.SMS: "phone"}
CHOICES = {Channel.EMAIL: "email", Channel.SMS: "sms", Channel.PUSH: "push"}
# Whoever asks for such a message wants exactly this one: no choice made before speaks against it.
ASKED_FOR = {NoticeKind.LINK, NoticeKind.SIGN_IN_CODE, NoticeKind.BOOKING_CODE, NoticeKind.REPLY}
NOWHERE = {Channel.EMAIL: Why.NO_EMAIL, Channel.SMS: Why.NO_PHONE, Channel.PUSH: Why.NO_DEVICE}


@dataclass(frozen=True, slots=True)
class Route:
    """A way to somebody. `index` is the blind index of where it leads, empty for a device."""

    channel: Channel
    index: bytes
    holder: models.Model
    column: str
    device: PushSubscription | None = None

    @property
    def to(self) -> str:
        """The address, number or endpoint itself, opened now: the record of looks is told."""
        return str(getattr(self.holder, self.column))

    @property
    def indexes(self) -> list[bytes]:
        """The digests under which the same contact may stand: two while the key changes."""
        if not self.index or not settings.BLIND_INDEX_KEY_OLD:
            return [self.index] if self.index else []
        return [*{self.index, *contact_indexes(CONTACTS[self.channel], self.to)}]


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of several people at once: their choices, their devices, what is suppressed."""

    preferences: dict[UUID, ContactPreference] = field(default_factory=dict)
    devices: dict[UUID, PushSubscription] = field(default_factory=dict)
    suppressed: set[tuple[str, bytes]] = field(default_factory=set)

    def preference(self, patient: Patient) -> ContactPreference:
        """Return what a patient chose; everything is on where they never did."""
        return self.preferences.get(patient.pk) or ContactPreference(patient=patient)


def known_of(
    patients: Iterable[Patient], channels: Iterable[str], *, others: Iterable[Route] = ()
) -> Known:
    """Read what `way_to` asks about these patients and about other routes, in 2 or 3 statements."""
    people = {patient.pk: patient for patient in patients}
    wanted = set(channels)
    routes = [_contact(patient, channel) for patient in people.values() for channel in CONTACTS]
    indexes = {digest for route in [*routes, *others] for digest in route.indexes}
    return Known(
        preferences={
            row.patient_id: row for row in ContactPreference.objects.filter(patient__in=people)
        }
        if people
        else {},
        devices=_devices(people.values()) if Channel.PUSH in wanted else {},
        suppressed=_suppressed(indexes),
    )


def way_to(
    patient: Patient, channel: Channel, *, kind: str, known: Known | None = None
) -> Route | Why:
    """Return how a patient can be reached by this channel with this kind of message, or why not.

    `known` holds what was read of many at once; without it that is read here.
    """
    if patient.merged_into_id is not None:
        return Why.RECORD_JOINED
    known = known_of([patient], [channel]) if known is None else known
    route = _route(patient, channel, known)
    if isinstance(route, Why):
        return route
    if kind not in ASKED_FOR and _is_declined(known.preference(patient), channel, kind):
        return Why.OPTED_OUT
    return check(route, kind=kind, known=known)


def check(route: Route, *, kind: str, known: Known) -> Route | Why:
    """Return the route, unless its channel is off or nothing may go there.

    A text is never sent against a STOP; a code or link that was asked for by e-mail goes even to
    an address that reminders must not go to.
    """
    if registry.is_off(route.channel):
        return Why.SWITCHED_OFF
    if route.channel == Channel.EMAIL and kind in ASKED_FOR:
        return route
    if any((route.channel.value, digest) in known.suppressed for digest in route.indexes):
        return Why.SUPPRESSED
    return route


def way_of_code(code: OneTimeCode, channel: Channel) -> Route | Why:
    """Return the way to the contact that a one-time code was asked for with."""
    index = bytes(code.contact_index)
    return Route(channel, index, code, "contact") if index else NOWHERE[channel]


def way_of_text(text: InboundText) -> Route:
    """Return the way back to the number that a text came from."""
    return Route(Channel.SMS, contact_index("phone", text.sender), text, "sender")


def _route(patient: Patient, channel: Channel, known: Known) -> Route | Why:
    if channel == Channel.PUSH:
        device = known.devices.get(patient.pk)
        return Why.NO_DEVICE if device is None else Route(channel, b"", device, "endpoint", device)
    route = _contact(patient, channel)
    if not route.index:
        return NOWHERE[channel]
    if channel == Channel.SMS and not patient.phone_is_textable:
        return Why.NOT_TEXTABLE
    return route


def _contact(patient: Patient, channel: Channel) -> Route:
    column = CONTACTS[channel]
    return Route(channel, bytes(getattr(patient, f"{column}_index")), patient, column)


def _is_declined(preference: ContactPreference, channel: Channel, kind: str) -> bool:
    return not getattr(preference, CHOICES[channel]) or kind in preference.muted


def _suppressed(indexes: set[bytes]) -> set[tuple[str, bytes]]:
    if not indexes:
        return set()
    rows = Suppression.objects.filter(recipient_index__in=list(indexes), lifted_at=None)
    return {(channel, bytes(at)) for channel, at in rows.values_list("channel", "recipient_index")}


def _devices(patients: Iterable[Patient]) -> dict[UUID, PushSubscription]:
    """Return each patient's newest live device, of any record that the same account opens."""
    people: set[UUID] = set()
    opened_by: dict[int, set[UUID]] = defaultdict(set)
    for patient in patients:
        people.add(patient.pk)
        if patient.user_id is not None:
            opened_by[patient.user_id].add(patient.pk)
    rows = PushSubscription.objects.filter(
        Q(patient__in=people) | Q(patient__user__in=opened_by.keys()), ended_at=None
    ).select_related("patient")
    found: dict[UUID, PushSubscription] = {}
    for device in rows.order_by("created_at", "pk"):
        family = opened_by.get(device.patient.user_id or 0, set())
        found |= dict.fromkeys(family | ({device.patient_id} & people), device)
    return found
