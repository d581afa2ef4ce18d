"""What a browser hands out when it is asked for notifications: real keys, made anew each time."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from os import urandom

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def keys() -> dict[str, str]:
    """Return `p256dh` and `auth` as a browser says them."""
    public = generate_private_key(SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"p256dh": text(point), "auth": text(urandom(16))}


def endpoint(host: str = "fcm.googleapis.com") -> str:
    return f"https://{host}/fcm/send/{text(urandom(40))}"
