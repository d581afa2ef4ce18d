"""`manage.py emr_demo_server`: a record system to try the portal with; for development only."""

from __future__ import annotations

import signal
import socket
import sqlite3
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from emr.demo_server.keeping import open_store
from emr.demo_server.serving import ROOT, DemoServer
from emr.demo_server.store import Store
from emr.demo_server.telling import LOOPBACK

TOLD_OF = ("Appointment", "Patient", "ServiceRequest", "DiagnosticReport", "Observation")


class Command(BaseCommand):
    help = (
        "Serve FHIR R4 on 127.0.0.1 until stopped, and a page on which appointments can be changed"
        " as a hospital's staff would. Development settings only."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8180, help="0 takes any that is free")
        parser.add_argument("--fd", type=int, help="a socket that listens already, by its number")
        parser.add_argument("--state", type=Path, metavar="FILE", help="keep what it is told here")
        parser.add_argument("--notify", metavar="URL", help="tell this address of every change")
        parser.add_argument("--secret", default="", help="a bearer token for --notify")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not getattr(settings, "DEVELOPMENT", False):
            raise CommandError("The demo's record system is for development, never for a clinic.")
        try:
            store, kept = open_store(options["state"])
        except (sqlite3.Error, ValueError, OSError) as error:
            raise CommandError(f"The state cannot be read ({type(error).__name__}).") from error
        if options["notify"]:
            subscribe(store, options["notify"], secret=options["secret"])
        server = _server(options, store, kept)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_signal: threading.Thread(target=server.shutdown).start())
        self.stdout.write(f"A record system is at {server.address}{ROOT}")
        self.stdout.flush()
        server.serve_forever(0.2)
        server.close()


def _server(options: dict[str, Any], store: Store, kept: Any) -> DemoServer:
    descriptor = options["fd"]
    listener = None if descriptor is None else socket.socket(fileno=descriptor)
    try:
        return DemoServer(port=options["port"], store=store, kept=kept, listener=listener)
    except (OSError, OverflowError) as error:
        raise CommandError(f"Port {options['port']} cannot be used ({error}).") from error


def subscribe(store: Store, url: str, *, secret: str) -> None:
    """Let one address, and no other, be told of changes. Raises CommandError for one elsewhere."""
    if urlsplit(url).scheme != "http" or urlsplit(url).hostname not in LOOPBACK:
        raise CommandError("--notify takes http:// addresses on this machine only.")
    for one in store.all("Subscription"):
        store.delete("Subscription", one["id"])
    header = [f"Authorization: Bearer {secret}"] if secret else []
    channel = {"type": "rest-hook", "endpoint": url, "payload": "application/fhir+json"}
    for kind in TOLD_OF:
        store.create(
            {
                "resourceType": "Subscription",
                "status": "active",
                "reason": "Keep a clinic's appointments in step",
                "criteria": f"{kind}?",
                "channel": channel | ({"header": header} if header else {}),
            }
        )
