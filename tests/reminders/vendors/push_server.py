"""A push service on this machine, and the browser behind it: what was taken was opened with the
browser's own key, and came from who signed it."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid

from tests.reminders.vendors.loopback import Answer, Asked, Vendor


@dataclass(frozen=True)
class Browser:
    """One browser that asked for notifications."""

    endpoint: str
    p256dh: str
    auth: str
    key: EllipticCurvePrivateKey
    secret: bytes


class PushServer(Vendor):
    """Browsers whose path stands in `gone` are no more."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.browsers: dict[str, Browser] = {}
        self.gone: set[str] = set()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The site's settings with which it may send by this server."""
        return {"PUSH_HOSTS": ["127.0.0.1"]}

    def browser(self) -> Browser:
        """Return a browser that is new."""
        key, secret = generate_private_key(SECP256R1()), os.urandom(16)
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        path = f"/push/{len(self.browsers) + 1}"
        browser = Browser(self.url + path, text(point), text(secret), key, secret)
        self.browsers[path] = browser
        return browser

    def respond(self, asked: Asked) -> Answer:
        browser = self.browsers.get(asked.path)
        if browser is None or asked.path in self.gone:
            return Answer(410, b"unsubscribed")
        headers = {name.lower(): value for name, value in asked.headers.items()}
        if not Vapid.verify(headers["authorization"]):
            return Answer(403, b"not signed")
        opened = http_ece.decrypt(
            asked.body, private_key=browser.key, auth_secret=browser.secret, version="aes128gcm"
        )
        shown = json.loads(opened)
        self.keep(shown["tag"], to=browser.endpoint, body=shown["body"], shown=shown, asked=headers)
        return Answer(201, b"", {"Location": f"{browser.endpoint}/1"})


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
