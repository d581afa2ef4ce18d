"""Which vendor each channel goes by, as the settings say: one client for each process, made when
it is first needed. Knows no vendor's module by name, so that none is loaded before that."""

from __future__ import annotations

import os
from functools import cache
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from patients.mail import MailNotSent
from reminders.channels.base import ChannelError, Outgoing, Way
from reminders.kinds import Channel

OFF = "reminders.channels.off.Off"


@cache
def way(channel: Channel) -> Way:
    """Return this process's way out for a channel. It may be used by several threads at once.

    Raises ImproperlyConfigured where its settings cannot be meant.
    """
    made: Way = import_string(settings.CHANNELS[channel])(channel)
    return made


def is_off(channel: Channel) -> bool:
    """Say whether the clinic sends nothing by this channel at all. Loads no vendor's code."""
    return bool(settings.CHANNELS[channel] == OFF)


def send_staff_mail(*, to: str, subject: str, body: str) -> None:
    """Send one e-mail that stands in no ledger. Raises MailNotSent with the kind of error only."""
    message = Outgoing(to=to, subject=subject, text=body, marker=str(uuid4()))
    try:
        way(Channel.EMAIL).send(message)
    except ChannelError as error:
        raise MailNotSent(f"{type(error).__name__} {error.code}".strip()) from None


def _forget(*, setting: str, **_kwargs: Any) -> None:
    if setting.startswith(("CHANNELS", "EMAIL_", "TWILIO_", "SENDGRID_", "VAPID_", "VENDOR_")):
        way.cache_clear()


# A worker that was forked must not write to its parent's connections.
os.register_at_fork(after_in_child=way.cache_clear)
setting_changed.connect(_forget, dispatch_uid="ways")
