"""Takes what vendors report: each report once, about messages of ours, and about nothing else.

Decides which reports end a recipient. What a report means for the message is the ledger's.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from patients.indexes import contact_indexes
from reminders import ledger, suppressions
from reminders.consents import note_change
from reminders.models import ConsentChange, Delivery, Suppression, VendorReport
from reminders.vendor_reports import Report

SAID_NO = {
    Suppression.Cause.CARRIER,
    Suppression.Cause.COMPLAINT,
    Suppression.Cause.UNSUBSCRIBED,
}


@transaction.atomic
def take(report: Report, *, now: datetime) -> Delivery | None:
    """Write a report down, and what follows from it, or nothing of either.

    None where it was taken before, or where its message is none of ours.
    """
    _row, is_new = VendorReport.objects.get_or_create(
        vendor=report.vendor, event_id=report.event_id
    )
    if not is_new:
        return None
    delivery = ledger.report(
        vendor=report.vendor,
        vendor_id=report.vendor_id,
        marker=report.marker,
        state=report.state,
        status=report.status,
        error_code=report.error_code,
        at=report.at,
    )
    if delivery is not None and report.cause and report.recipient:
        _end_recipient(report, delivery, now=now)
    return delivery


def _end_recipient(report: Report, delivery: Delivery, *, now: datetime) -> None:
    """Suppress the recipient whom the report names, if our message went there."""
    recipient = suppressions.normal(report.channel, report.recipient)
    column = suppressions.COLUMNS[report.channel]
    is_ours = bytes(delivery.recipient_index) in contact_indexes(column, recipient)
    known = suppressions.is_suppressed(channel=report.channel, recipient=recipient)
    if not is_ours or known:
        return
    cause = Suppression.Cause(report.cause)
    suppressions.suppress(channel=report.channel, recipient=recipient, cause=cause, now=now)
    if cause in SAID_NO:
        note_change(
            channel=report.channel,
            recipient=recipient,
            given=False,
            source=ConsentChange.Source.VENDOR,
            now=now,
        )
