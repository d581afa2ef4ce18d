"""Letters for tests of words: one with the longest slots that a text must hold, one plain one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reminders.kinds import Channel, Kind, NoticeKind
from reminders.messages import Composed, Letter, VisitSlot, render
from reminders.replying import Answer

NEW_YORK = ZoneInfo("America/New_York")
HOST = "visits.clinic.io"  # 16 characters
TOKEN = "kX3-_0aZ9bQwErTyUiOp12"  # 22 characters
LINK = f"https://{HOST}/v/{TOKEN}/"
LATE = datetime(2026, 12, 30, 12, 45, tzinfo=NEW_YORK)  # "Wed Dec 30 12:45pm"

VISIT = VisitSlot(
    start=LATE,
    provider="Dr. Montgomery",
    reference="2345ABCD",
    address="1 Main Street",
    asks=True,
    url=LINK,
)
LONGEST = Letter(
    clinic_name="Riverside Community Clinic of the Bronx",
    sms_name="Riverside Clinic Brx",
    clinic_phone="+12125550100",
    given_name="Maximilianna",
    visits=(VISIT,),
    url=LINK,
    unsubscribe_url=f"https://{HOST}/unsubscribe/1/",
    code="1234 5678",
    minutes=10,
    deadline=LATE - timedelta(days=1),
)
# By these ways each kind can go.
ANYHOW = tuple(Channel)
ON_PAPER = (Channel.EMAIL, Channel.SMS)
WAYS: dict[Kind | NoticeKind, tuple[Channel, ...]] = {
    **dict.fromkeys([*Kind, *NoticeKind], ANYHOW),
    **dict.fromkeys([NoticeKind.LINK, NoticeKind.SIGN_IN_CODE, NoticeKind.BOOKING_CODE], ON_PAPER),
    NoticeKind.REPLY: (Channel.SMS,),
}
CODES = {NoticeKind.SIGN_IN_CODE, NoticeKind.BOOKING_CODE}


@dataclass(frozen=True)
class Case:
    """One message that the site can send."""

    kind: Kind | NoticeKind
    channel: Channel
    answer: str = ""
    asks: bool = True
    several: bool = False
    sooner: bool = False
    shared: bool = False

    def __str__(self) -> str:
        flags = "asks" * self.asks + "+several" * self.several
        flags += "+sooner" * self.sooner + "+shared" * self.shared
        return f"{self.kind}{self.answer and f':{self.answer}'}-{self.channel}-{flags}"

    def letter(self, letter: Letter = LONGEST) -> Letter:
        visits = tuple(replace(visit, asks=self.asks) for visit in letter.visits)
        if self.several:
            later = timedelta(hours=2)
            visits += tuple(replace(visit, start=visit.start + later) for visit in visits)
        url = f"{letter.url}join/" if self.kind is Kind.JOIN else letter.url
        present = replace(visits[0], start=visits[0].start + timedelta(days=15))
        return replace(
            letter,
            visits=visits,
            url=url,
            answer=self.answer,
            instead=present if self.sooner else None,
            is_shared=self.shared,
        )

    def say(self, language: str = "en", letter: Letter = LONGEST) -> Composed:
        return render(
            kinds=[self.kind.value],
            channel=self.channel,
            language=language,
            letter=self.letter(letter),
        )


def _cases_of(kind: Kind | NoticeKind, channel: Channel) -> list[Case]:
    if kind is NoticeKind.REPLY:
        return [Case(kind, channel, answer.value) for answer in Answer]
    if kind in CODES:
        return [Case(kind, channel)]
    if kind is NoticeKind.OFFER:
        both = (True, False)
        return [Case(kind, channel, sooner=one, shared=other) for one in both for other in both]
    counts = (False, True) if kind in {Kind.REQUEST, Kind.FOLLOW_UP, Kind.REMINDER} else (False,)
    return [
        Case(kind, channel, asks=asks, several=several)
        for asks in (True, False)
        for several in counts
    ]


CASES = [case for kind, ways in WAYS.items() for way in ways for case in _cases_of(kind, way)]
TEXTS = [case for case in CASES if case.channel == Channel.SMS]
EMAILS = [case for case in CASES if case.channel == Channel.EMAIL]
