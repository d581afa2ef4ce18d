"""`manage.py mllp_listen`: hears one connection's HL7 v2 messages until it is stopped."""

from __future__ import annotations

import signal
import ssl
from argparse import ArgumentParser
from functools import partial
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from emr.kinds import Vendor
from emr.mllp.answering import heard, rest, too_long
from emr.mllp.server import Limits, Listener
from emr.mllp.tls import is_this_machine, server_context
from emr.models import EMRConnection

PORTS = range(65_536)


class Command(BaseCommand):
    help = (
        "Listen for the SIU messages of a record system (MLLP). Each is kept before it is"
        " acknowledged. Stops on SIGTERM when the messages at hand are answered."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--connection", required=True, help="id or source system of an HL7 v2 connection"
        )
        parser.add_argument("--host", default="127.0.0.1", help="address (%(default)s)")
        parser.add_argument("--port", type=int, default=2575, help="port (%(default)s)")
        parser.add_argument("--tls-cert", metavar="FILE", help="our certificate chain, PEM")
        parser.add_argument("--tls-key", metavar="FILE", help="its key, where it is a file apart")
        parser.add_argument(
            "--client-ca", metavar="FILE", help="hear only peers with a certificate of these"
        )
        parser.add_argument(
            "--plain-is-protected",
            action="store_true",
            help="without TLS on a network address: say that a tunnel protects it",
        )
        parser.add_argument("--peers", type=int, default=32, help="at once (%(default)s)")
        parser.add_argument(
            "--idle", type=int, default=900, help="seconds a peer may be silent (%(default)s)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Listen. One line and status 1 where it must not, or cannot."""
        connection = _connection(options["connection"])
        listener = _listener(connection, options)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: listener.stop())
        how = "TLS" if listener.tls else "no TLS"
        self.stdout.write(
            f"Listening for {connection.source_system} on {options['host']}:{listener.port}, {how}."
        )
        self.stdout.flush()
        rest()
        listener.serve()
        self.stdout.write("Stopped.")


def _connection(said: str) -> EMRConnection:
    found = EMRConnection.objects.active().filter(vendor=Vendor.HL7V2.value)
    try:
        connection = found.filter(pk=UUID(said)).first()
    except ValueError:
        connection = found.filter(source_system=said).first() if "\0" not in said else None
    if connection is None:
        raise CommandError("There is no active HL7 v2 connection of this id or source system.")
    return connection


def _listener(connection: EMRConnection, options: dict[str, Any]) -> Listener:
    if options["port"] not in PORTS or options["peers"] < 1 or options["idle"] < 1:
        raise CommandError("Give a port up to 65535, and 1 or more peers and seconds.")
    try:
        return Listener(
            options["host"],
            options["port"],
            answer=partial(heard, connection.pk),
            too_long=too_long,
            rest=rest,
            tls=_tls(options),
            limits=Limits(peers=options["peers"], idle=options["idle"]),
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CommandError(f"Cannot listen there: {reason}.") from error


def _tls(options: dict[str, Any]) -> ssl.SSLContext | None:
    certificate = options["tls_cert"]
    if certificate is None:
        if options["tls_key"] or options["client_ca"]:
            raise CommandError("--tls-key and --client-ca need --tls-cert.")
        if not (is_this_machine(options["host"]) or options["plain_is_protected"]):
            raise CommandError(
                "Without TLS only this machine is heard. Give --tls-cert, or say"
                " --plain-is-protected where a tunnel protects the way."
            )
        return None
    try:
        return server_context(
            certificate=certificate,
            key=options["tls_key"],
            client_authorities=options["client_ca"],
        )
    except OSError as error:
        reason = error.strerror or getattr(error, "reason", None) or type(error).__name__
        raise CommandError(f"The certificates cannot be used: {reason}.") from error
