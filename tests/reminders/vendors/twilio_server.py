"""Twilio on this machine: takes texts, lists them, and refuses numbers that it was told to.

`python -m tests.reminders.vendors.twilio_server 0.05` runs one by itself, with that latency, until
its standard input ends; it says its address first, and then what it took.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Mapping
from email.utils import format_datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.reminders.vendors.loopback import Answer, Asked, Taken, Vendor

ACCOUNT, TOKEN, SENDER = "AC" + "0" * 32, "loopback-token", "+12125550100"
MESSAGES = re.compile(r"/2010-04-01/Accounts/(AC\w{32})/Messages\.json")


class TwilioServer(Vendor):
    """`refusals` are (status, code) by number. Texts in `unlisted` numbers stay out of the list;
    `statuses` are by a text's id, "queued" where there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refusals: dict[str, tuple[int, int]] = {}
        self.unlisted: set[str] = set()
        self.statuses: dict[str, str] = {}
        self._ids = count(1)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The site's settings with which it texts by this server."""
        return {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": SENDER,
            "TWILIO_MESSAGING_SERVICE_SID": "",
            "TWILIO_BASE_URL": self.url,
        }

    def respond(self, asked: Asked) -> Answer:
        url = urlsplit(asked.path)
        found = MESSAGES.fullmatch(url.path)
        basic = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if asked.headers.get("Authorization") != f"Basic {basic}":
            return refusal(401, 20003)
        if found is None or found[1] != ACCOUNT:
            return refusal(404, 20404)
        if asked.method == "GET":
            return self._list(parse_qs(url.query))
        return self._take(dict(parse_qsl(asked.body.decode(), keep_blank_values=True)))

    def _take(self, form: dict[str, str]) -> Answer:
        to = form.get("To", "")
        if to in self.refusals:
            return refusal(*self.refusals[to])
        if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
            return refusal(400, 21211)
        if not form.get("Body"):
            return refusal(400, 21602)
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return refusal(400, 21603)
        taken = self.keep(f"SM{next(self._ids):032x}", to=to, body=form["Body"], **form)
        return answer(self._shown(taken), status=201)

    def _list(self, query: Mapping[str, list[str]]) -> Answer:
        to, size = query.get("To", [""])[0], int(query.get("PageSize", ["50"])[0])
        page = int(query.get("Page", ["0"])[0])
        listed = [one for one in reversed(self.taken) if one.to == to and to not in self.unlisted]
        shown = listed[page * size : (page + 1) * size]
        more = len(listed) > (page + 1) * size
        here = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To={to.replace('+', '%2B')}"
        following = f"{here}&PageSize={size}&Page={page + 1}&PageToken=PA" if more else None
        return answer(
            {
                "messages": [self._shown(one) for one in shown],
                "next_page_uri": following,
                "page": page,
                "page_size": size,
            }
        )

    def _shown(self, taken: Taken) -> dict[str, Any]:
        return {
            "account_sid": ACCOUNT,
            "sid": taken.id,
            "to": taken.to,
            "from": taken.more.get("From"),
            "messaging_service_sid": taken.more.get("MessagingServiceSid"),
            "body": taken.body,
            "status": self.statuses.get(taken.id, "queued"),
            "direction": "outbound-api",
            "date_created": format_datetime(taken.at),
            "date_updated": format_datetime(taken.at),
            "date_sent": None,
            "num_segments": "1",
            "num_media": "0",
            "error_code": None,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "api_version": "2010-04-01",
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{taken.id}.json",
        }


def answer(content: Any, *, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


def refusal(status: int, code: int) -> Answer:
    """A refusal in Twilio's words, which repeat the number."""
    words = {"code": code, "message": "The number +12125550199 is refused", "status": status}
    return answer(words, status=status)


def main() -> None:
    """Serve until the standard input ends, then print how often each text was taken."""
    latency = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    with TwilioServer(latency=latency) as server:
        print(server.url, flush=True)
        sys.stdin.read()
        print(json.dumps([[to, body, n] for (to, body), n in server.counts().items()]))


if __name__ == "__main__":
    main()
