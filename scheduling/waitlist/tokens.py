"""The token by which a message opens an offer, made from SECRET_KEY and the offer's id alone.

So the message can be written again without the token being kept: rows have its digest.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from patients.crypto import derive, token_digest
from patients.models import Patient
from scheduling.models import WaitlistOffer

PURPOSE = "waitlist-offer"
TOKEN_BYTES = 16  # 128 bits, 22 characters
DIGEST_BYTES = 32


def token_of(offer_pk: UUID) -> str:
    """Return the 22 letters, digits, - and _ that open this offer."""
    key = derive(settings.SECRET_KEY.encode(), PURPOSE)
    digest = hmac.digest(key, offer_pk.bytes, "sha256")
    return urlsafe_b64encode(digest[:TOKEN_BYTES]).decode().rstrip("=")


def digest_of(offer_pk: UUID) -> bytes:
    """Return what an offer's row keeps of its token, in 32 bytes."""
    return token_digest(token_of(offer_pk))


def offer_url(offer: WaitlistOffer) -> str:
    """Return the address for a message; whoever opens it sees the offer and changes nothing."""
    return f"{settings.SITE_URL}{reverse('portal:offer', args=[token_of(offer.pk)])}"


def is_revoked(offer: WaitlistOffer) -> bool:
    """Say whether an offer's link opens nothing any more, so that no message should bring it."""
    return bytes(offer.token_digest) != digest_of(offer.pk)


def on_contact_change(patient: Patient) -> None:
    """End the links to a patient's offers: they went to an address that is no longer on file.

    What opened one before is forgotten with it; the patient, signed in, and the desk still can.
    """
    for pk in WaitlistOffer.objects.filter(entry__patient=patient).values_list("pk", flat=True):
        WaitlistOffer.objects.filter(pk=pk).update(token_digest=secrets.token_bytes(DIGEST_BYTES))
