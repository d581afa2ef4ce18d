"""Makes the words of a delivery when it is about to leave, from the rows that it carries.

Links and codes are made here, so that none stands in a queue or a table. Refuses to know by which
way it goes and whether it should: that was judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from patients import codes
from patients.models import Patient
from providers.models import Clinic
from reminders.judging import is_over
from reminders.kinds import Channel, Kind, NoticeKind, Why
from reminders.messages import Composed, Letter, VisitSlot, is_automated, leading, render
from reminders.models import Delivery, Notice, Reminder
from reminders.policies import policy_of
from reminders.preferences import unsubscribe_url
from reminders.replying import Answer
from scheduling import links
from scheduling.models import Appointment, Mode, WaitlistOffer
from scheduling.transitions import Status
from scheduling.video import join_url
from scheduling.waitlist.tokens import is_revoked, offer_url

Row = Reminder | Notice

CODES = {NoticeKind.SIGN_IN_CODE, NoticeKind.BOOKING_CODE}
LIVE = {Status.SCHEDULED, Status.CONFIRMED}
CODE_MINUTES = int(codes.LIFETIME.total_seconds() // 60)


class ComposeRefused(Exception):
    """There is nothing to say any more, or nobody to say it to: `why` is what the ledger keeps."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


def compose(delivery: Delivery, *, language: str, now: datetime) -> Composed:
    """Return the message of a delivery in the language nearest to a tag.

    Each call makes new links and a new code; what an earlier try of the same delivery brought goes
    on working until it ends. Rows that were read with the delivery are not read again. Raises
    ComposeRefused.
    """
    rows: list[Row] = [*delivery.reminders.all(), *delivery.notices.all()]
    kinds = [row.kind for row in rows]
    if not rows:
        raise ComposeRefused(Why.CANCELLED)
    kind, channel = leading(kinds), Channel(delivery.channel)
    if kind in CODES:
        letter = _of_code(_notice(rows))
    elif kind == NoticeKind.REPLY:
        letter = _of_reply(_notice(rows), now=now)
    elif kind == NoticeKind.OFFER:
        letter = _of_offer(_notice(rows), channel, now=now)
    else:
        letter = _of_visits(rows, kind, channel, now=now)
    return render(kinds=kinds, channel=channel, language=language, letter=letter)


def _notice(rows: Sequence[Row]) -> Notice:
    return next(row for row in rows if isinstance(row, Notice))


def _of_code(notice: Notice) -> Letter:
    """Return a letter with a code that was made just now, from the site itself."""
    code = None if notice.code is None else codes.make(notice.code)
    if code is None:
        raise ComposeRefused(Why.NOT_ON_FILE)
    return Letter(clinic_name=settings.SITE_NAME, code=code, minutes=CODE_MINUTES)


def _of_reply(notice: Notice, *, now: datetime) -> Letter:
    """Return the answer to a text; one that leads to no visit names no patient either."""
    answer, visit = Answer(notice.details["text"]), notice.appointment
    if answer is Answer.OFFER:
        return _of_answer_to_offer(notice, now=now)
    if visit is None:
        if answer is not Answer.UNCLEAR:
            raise ComposeRefused(Why.EXPIRED)
        return _letter(notice.clinic, notice.patient, [], answer=answer)
    url = ""
    if answer is Answer.LINK:
        url = _link(visit, now=now)
    elif answer is Answer.SEVERAL:
        url = _address(links.issue(visit, *_unconfirmed_beside(visit, now=now), now=now))
    return _letter(visit.clinic, visit.patient, [_slot(visit)], url=url, answer=answer)


def _of_answer_to_offer(notice: Notice, *, now: datetime) -> Letter:
    """Return what is said to who answered an offer by text: where to take it, or that it ended."""
    offer = notice.offer
    if offer is None:
        raise ComposeRefused(Why.EXPIRED)
    answer = Answer.OFFER_OVER if is_over(offer, now=now) else Answer.OFFER
    return replace(_letter_of(offer), answer=answer)


def _of_offer(notice: Notice, channel: Channel, *, now: datetime) -> Letter:
    """Return a letter that offers freed time, beside the visit that it would take the place of."""
    offer, patient = notice.offer, notice.patient
    if offer is None or patient is None or is_over(offer, now=now) or is_revoked(offer):
        raise ComposeRefused(Why.EXPIRED)
    is_mail = channel == Channel.EMAIL
    return replace(_letter_of(offer), unsubscribe_url=unsubscribe_url(patient) if is_mail else "")


def _letter_of(offer: WaitlistOffer) -> Letter:
    patient, clinic, now_at = offer.entry.patient, offer.opening.clinic, offer.entry.replaces
    letter = _letter(clinic, patient, [_offered(offer)], url=offer_url(offer))
    zone = ZoneInfo(patient.time_zone_id) if patient.time_zone_id else clinic.zone
    return replace(
        letter,
        deadline=offer.expires_at.astimezone(zone),
        instead=_slot(now_at) if now_at is not None and now_at.status in LIVE else None,
        is_shared=offer.opening.policy == Mode.OVERLAPPING,
    )


def _offered(offer: WaitlistOffer) -> VisitSlot:
    clinic = offer.opening.clinic
    start = offer.visit_start.astimezone(clinic.zone)
    return VisitSlot(
        start=start,
        own_start=_own_start(offer.entry.patient, start),
        provider=offer.opening.provider.name,
        address=" ".join(clinic.address.split()),
        is_video=offer.visit_type.is_telehealth,
    )


def _unconfirmed_beside(visit: Appointment, *, now: datetime) -> QuerySet[Appointment]:
    """Return what else the same patient can confirm; on a family's number each has own links."""
    to_come = Appointment.objects.filter(
        patient=visit.patient_id, status=Status.SCHEDULED.value, scheduled_start__gt=now
    )
    return to_come.exclude(pk=visit.pk).order_by("scheduled_start")[: links.MOST_TOGETHER - 1]


def _of_visits(
    rows: Sequence[Row], kind: Kind | NoticeKind, channel: Channel, *, now: datetime
) -> Letter:
    """Return a letter about a patient's visits, the earliest first.

    Its one link opens all of them; an e-mail about several has a link for each as well.
    """
    visits = _visits(rows)
    first = visits[0]
    token = links.issue(*visits, now=now)
    url = join_url(first, token) if kind == Kind.JOIN else _address(token)
    is_mail = channel == Channel.EMAIL
    others = [_slot(visit, url=_link(visit, now=now) if is_mail else "") for visit in visits[1:]]
    stops_by_link = is_mail and is_automated([row.kind for row in rows])
    unsubscribe = unsubscribe_url(first.patient) if stops_by_link else ""
    slots = [_slot(first, url=url), *others]
    return _letter(first.clinic, first.patient, slots, url=url, unsubscribe_url=unsubscribe)


def _visits(rows: Sequence[Row]) -> list[Appointment]:
    """Return the visits that rows are about, each once. Raises ComposeRefused where none is."""
    visits = {row.appointment.pk: row.appointment for row in rows if row.appointment is not None}
    if not visits:
        raise ComposeRefused(Why.NOT_ON_FILE)
    return sorted(visits.values(), key=lambda visit: (visit.scheduled_start, visit.pk))


def _link(visit: Appointment, *, now: datetime) -> str:
    return _address(links.issue(visit, now=now))


def _address(token: str) -> str:
    return f"{settings.SITE_URL}{reverse('portal:link', args=[token])}"


def _letter(
    clinic: Clinic | None,
    patient: Patient | None,
    visits: Sequence[VisitSlot],
    *,
    url: str = "",
    unsubscribe_url: str = "",
    answer: str = "",
) -> Letter:
    return Letter(
        clinic_name=clinic.name if clinic else settings.SITE_NAME,
        sms_name=clinic.sms_name if clinic else "",
        clinic_phone=clinic.phone if clinic else "",
        given_name=patient.given_name if patient else "",
        visits=tuple(visits),
        url=url,
        unsubscribe_url=unsubscribe_url,
        answer=answer,
    )


def _slot(visit: Appointment, *, url: str = "") -> VisitSlot:
    """Return what a message may say of a visit: neither why nor what for."""
    visit_type = visit.appointment_type
    asks = visit.status == Status.SCHEDULED and visit_type.confirmation_required
    return VisitSlot(
        start=visit.local_start,
        own_start=_own_start(visit.patient, visit.local_start),
        provider=visit.provider.name,
        reference=visit.reference,
        address=" ".join(visit.clinic.address.split()),
        is_video=visit_type.is_telehealth,
        asks=asks,
        may_be_freed=asks and _may_be_freed(visit),
        url=url,
    )


def _may_be_freed(visit: Appointment) -> bool:
    """Whether the clinic may give an unconfirmed visit's time to somebody else."""
    cadence = policy_of(visit.clinic_id, visit.appointment_type_id).cadence
    return visit.appointment_type.auto_release_allowed and cadence.release is not None


def _own_start(patient: Patient, start: datetime) -> datetime | None:
    """Return a start at a clinic as the patient's clock shows it; None where that is the same."""
    zone = patient.time_zone_id
    if zone is None:
        return None
    own = start.astimezone(ZoneInfo(zone))
    return None if own.utcoffset() == start.utcoffset() else own
