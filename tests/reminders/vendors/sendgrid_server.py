"""SendGrid on this machine: takes e-mails, and refuses addresses that it was told to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from tests.reminders.vendors.loopback import Answer, Asked, Vendor

KEY = "SG.loopback"


class SendGridServer(Vendor):
    """`refusals` are statuses by address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refusals: dict[str, int] = {}
        self._ids = count(1)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The site's settings with which it sends its e-mail by this server."""
        return {"SENDGRID_API_KEY": KEY, "SENDGRID_BASE_URL": self.url}

    def respond(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return refusal(401)
        if (asked.method, asked.path) != ("POST", "/v3/mail/send"):
            return refusal(404)
        mail = json.loads(asked.body)
        (person,) = mail["personalizations"]
        to = person["to"][0]["email"]
        if to in self.refusals:
            return refusal(self.refusals[to])
        (content,) = mail["content"]
        id_ = f"loopback-{next(self._ids)}"
        self.keep(id_, to=to, body=content["value"], mail=mail)
        return Answer(202, b"", {"X-Message-Id": id_})


def refusal(status: int) -> Answer:
    """A refusal whose words repeat the address."""
    return Answer(status, b'{"errors": [{"message": "ada@mail.example is refused"}]}')
