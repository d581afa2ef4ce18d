"""A mail server on this machine, which says at each step what it was told to say."""

from __future__ import annotations

import re
import socketserver
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

GOOD = {
    "HELLO": "220 loopback",
    "EHLO": "250 loopback",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "END": "250 taken",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}
BREAK = "BREAK"  # in place of an answer: the connection ends
TAKE_AND_BREAK = "TAKE_AND_BREAK"
SILENCE = "SILENCE"


@dataclass(frozen=True)
class Mail:
    to: str
    message: EmailMessage


class SMTPServer:
    """`with SMTPServer(RCPT="550 no such user") as server`; END is what follows the words."""

    def __init__(self, **answers: str) -> None:
        self.answers = {**GOOD, **answers}
        self.taken: list[Mail] = []
        self.ended = threading.Event()
        self._server = Server(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True
        self._server.owner = self

    @property
    def settings(self) -> Mapping[str, Any]:
        """The site's settings with which it mails by this server, without TLS."""
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": self._server.server_address[1],
            "EMAIL_USE_TLS": False,
            "EMAIL_TIMEOUT": 1,
        }

    def counts(self) -> Counter[tuple[str, str]]:
        """Return how often each (recipient, text) was taken."""
        return Counter((one.to, one.message.get_content()) for one in [*self.taken])

    def __enter__(self) -> Self:
        run = self._server.serve_forever
        self._thread = threading.Thread(target=run, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class Server(socketserver.ThreadingTCPServer):
    owner: SMTPServer


class Talk(socketserver.StreamRequestHandler):
    server: Server
    to = ""

    def handle(self) -> None:
        goes_on = self._say("HELLO")
        while goes_on and (line := self.rfile.readline()):
            verb = line[:4].decode("ascii", "replace").upper()
            if verb == "RCPT":
                found = re.search(rb"<([^>]*)>", line)
                self.to = found[1].decode() if found else ""
            goes_on = self._say(verb) and verb != "QUIT"
            if goes_on and verb == "DATA" and self.server.owner.answers["DATA"].startswith("354"):
                goes_on = self._words()

    def _words(self) -> bool:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        answer = self.server.owner.answers["END"]
        if answer.startswith("250") or answer == TAKE_AND_BREAK:
            message = message_from_bytes(b"".join(lines), policy=default)
            self.server.owner.taken.append(Mail(self.to, message))
        return self._say("END")

    def _say(self, step: str) -> bool:
        answer = self.server.owner.answers.get(step, "500 what")
        if answer == SILENCE:
            self.server.owner.ended.wait(30)
        if answer in {BREAK, TAKE_AND_BREAK, SILENCE}:
            return False
        self.wfile.write(answer.encode() + b"\r\n")
        return not answer.startswith("421")
