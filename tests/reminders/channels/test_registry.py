"""One client a process for each channel, loaded when it is needed, as the settings say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from reminders.channels import registry
from reminders.channels.base import CannotLook, Outgoing, Refused, Way
from reminders.channels.memory import Memory
from reminders.channels.off import Off
from reminders.kinds import Channel

ROOT = Path(__file__).parents[3]
OFF = "reminders.channels.off.Off"


def test_a_process_has_one_client_for_each_channel() -> None:
    assert registry.way(Channel.SMS) is registry.way(Channel.SMS)
    assert registry.way(Channel.SMS) is not registry.way(Channel.PUSH)


def test_a_setting_that_changes_makes_a_new_client(settings: Any) -> None:
    before = registry.way(Channel.SMS)
    assert isinstance(before, Memory)
    settings.CHANNELS = {**settings.CHANNELS, "SMS": OFF}
    assert isinstance(registry.way(Channel.SMS), Off)
    assert registry.is_off(Channel.SMS)
    assert not registry.is_off(Channel.EMAIL)


def test_a_forked_worker_makes_clients_of_its_own() -> None:
    before = registry.way(Channel.SMS)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        os.write(write, b"n" if registry.way(Channel.SMS) is before else b"y")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 1) == b"y"
    os.close(read)
    os.close(write)
    assert registry.way(Channel.SMS) is before


def test_a_channel_that_is_off_sends_nothing() -> None:
    way: Way = Off(Channel.SMS)
    with pytest.raises(Refused, match="off"):
        way.send(Outgoing(to="+12125550134", text="-", marker="1"))
    with pytest.raises(CannotLook):
        way.find(to="", digest=b"", since=None)  # type: ignore[arg-type]


def test_staff_mail_goes_by_the_clinics_way() -> None:
    registry.send_staff_mail(to="ada@mail.example", subject="Hello", body="Words")
    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.body) == (["ada@mail.example"], "Hello", "Words")


def test_no_vendors_code_is_loaded_before_it_is_needed() -> None:
    vendors = "('twilio', 'sendgrid', 'python_http_client', 'pywebpush', 'http_ece', 'py_vapid')"
    code = (
        "import django, sys; django.setup()\n"
        "from django.core.management import call_command\n"
        "from reminders.channels import registry\n"
        "call_command('check')\n"
        f"print([name for name in {vendors} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.development",
            "SMS_CHANNEL": "twilio",
            "TWILIO_ACCOUNT_SID": "AC",
            "TWILIO_AUTH_TOKEN": "token",
            "TWILIO_FROM": "+12125550100",
            "EMAIL_CHANNEL": "sendgrid",
            "SENDGRID_API_KEY": "SG.key",
            "PUSH_CHANNEL": "webpush",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
