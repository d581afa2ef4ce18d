"""Browsers in which patients asked for notifications: which are live, and how they come and go.

Decides which push services a browser may name. Knows no page, and sends nothing.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from patients.crypto import token_digest
from patients.models import Patient
from reminders import preferences
from reminders.channels.addresses import is_push_service
from reminders.kinds import Channel
from reminders.models import ConsentChange, PushSubscription

POINT_BYTES, SECRET_BYTES, RAW_KEY_BYTES = 65, 16, 32
LONGEST_KEY = 400


class UnknownDevice(Exception):
    """What a browser said is no subscription to a push service that is known here."""


def subscribe(
    *,
    patient: Patient,
    endpoint: str,
    p256dh: str,
    auth: str,
    language: str,
    by_user: User | None,
    now: datetime,
) -> PushSubscription:
    """Let notifications for a patient go to a browser, as somebody has just asked there.

    `p256dh` and `auth` are the browser's keys in base64url: a P-256 point and 16 bytes. The same
    browser asked for again is one device, and whoever asked last has it. Raises UnknownDevice.
    """
    if not is_known(endpoint) or not _are_keys(p256dh, auth):
        raise UnknownDevice
    digest = token_digest(endpoint)
    with transaction.atomic():
        preferences.locked(patient)  # a button that is pressed twice waits for itself
        rows = PushSubscription.objects.select_for_update(of=("self",))
        row = rows.filter(endpoint_digest=digest).first()
        is_new = row is None or row.ended_at is not None or row.patient_id != patient.pk
        if row is None:
            row = PushSubscription(endpoint_digest=digest, endpoint=endpoint)
        row.patient, row.p256dh, row.auth = patient, p256dh, auth
        row.language, row.ended_at = language, None
        row.created_at = now
        row.save()
        if is_new:
            preferences.agreed(
                patient=patient,
                channel=Channel.PUSH,
                source=ConsentChange.Source.PORTAL,
                by_user=by_user,
                now=now,
            )
    return row


def end(*, device: PushSubscription, now: datetime) -> None:
    """Send nothing to a browser any more, because its push service says that it is gone."""
    PushSubscription.objects.filter(pk=device.pk, ended_at=None).update(ended_at=now)


def leave(*, patient: Patient, endpoint: str, by_user: User | None, now: datetime) -> bool:
    """End a browser's notifications because somebody asked; return whether there were any.

    Reaches the devices of the patient's account alone. With the last of them the channel is off.
    """
    with transaction.atomic():
        found = live(patient).filter(endpoint_digest=token_digest(endpoint))
        if not found.update(ended_at=now):
            return False
        if not live(patient).exists():
            preferences.switch(
                patient=patient,
                channel=Channel.PUSH,
                on=False,
                source=ConsentChange.Source.PORTAL,
                by_user=by_user,
                now=now,
            )
    return True


def live(patient: Patient) -> QuerySet[PushSubscription]:
    """Return the devices of a patient, and of the other records that the same account opens."""
    mine = Q(patient=patient.pk)
    if patient.user_id is not None:
        mine |= Q(patient__user=patient.user_id)
    return PushSubscription.objects.filter(mine, ended_at=None)


def knows(patient: Patient, endpoint: str) -> bool:
    """Whether a browser is set up for the patient's account."""
    return live(patient).filter(endpoint_digest=token_digest(endpoint)).exists()


def latest(patient: Patient) -> PushSubscription | None:
    """Return the device that was set up last; None where there is none."""
    return live(patient).order_by("-created_at", "-pk").first()


def on_contact_change(patient: Patient) -> None:
    """End the devices of a record whose address left it: who set them up may not be the patient."""
    PushSubscription.objects.filter(patient=patient.pk, ended_at=None).update(
        ended_at=timezone.now()
    )


def is_known(endpoint: str) -> bool:
    """Whether an address is one of a push service that the settings name (PUSH_HOSTS).

    It comes from a browser and will be called from here, so anything else is refused.
    """
    return is_push_service(endpoint, hosts=settings.PUSH_HOSTS)


def _are_keys(p256dh: str, auth: str) -> bool:
    """Whether these are a point on P-256 and 16 bytes, as a browser hands them out."""
    try:
        point, secret = _bytes(p256dh), _bytes(auth)
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError:
        return False
    return len(point) == POINT_BYTES and len(secret) == SECRET_BYTES


def application_key() -> str:
    """Return the public half of VAPID_PRIVATE_KEY as browsers want it; "" where there is none."""
    return _public(settings.VAPID_PRIVATE_KEY) if settings.VAPID_PRIVATE_KEY else ""


@lru_cache(maxsize=4)
def _public(text: str) -> str:
    raw = _bytes(text)
    if len(raw) == RAW_KEY_BYTES:
        key = derive_private_key(int.from_bytes(raw), SECP256R1())
    else:
        loaded = load_der_private_key(raw, password=None)
        if not isinstance(loaded, EllipticCurvePrivateKey):
            raise ValueError("VAPID_PRIVATE_KEY is no key on P-256.")
        key = loaded
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Return what base64url text without padding stands for. Raises ValueError."""
    if len(text) > LONGEST_KEY:
        raise ValueError("too long")
    padding = b"=" * (-len(text) % 4)
    return b64decode(text.encode("ascii") + padding, altchars=b"-_", validate=True)
