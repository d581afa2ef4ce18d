"""Makes the pair of keys by which push services know this site. Keeps neither."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Print a new VAPID_PRIVATE_KEY for notifications, and the public key that it has."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print both; with a new private key every browser has to be asked again."""
        key = generate_private_key(SECP256R1())
        private = key.private_numbers().private_value.to_bytes(32)
        public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.stdout.write(f"VAPID_PRIVATE_KEY={_text(private)}")
        self.stdout.write(f"# browsers are given {_text(public)}")


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
