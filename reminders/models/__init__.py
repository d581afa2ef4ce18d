"""What the reminders keep: plans, the ledger of deliveries, preferences, and work for people."""

from reminders.models.callback import VendorReport
from reminders.models.contact import (
    ConsentChange,
    ContactPreference,
    PushSubscription,
    Suppression,
)
from reminders.models.delivery import Delivery
from reminders.models.desk import CallAttempt, CallItem, InboundText
from reminders.models.plan import Notice, Reminder
from reminders.models.policy import ReminderPolicy

__all__ = [
    "CallAttempt",
    "CallItem",
    "ConsentChange",
    "ContactPreference",
    "Delivery",
    "InboundText",
    "Notice",
    "PushSubscription",
    "Reminder",
    "ReminderPolicy",
    "Suppression",
    "VendorReport",
]
