"""An invented day on the board: it knows the shape the template wants, and no model."""

from dataclasses import dataclass
from typing import Any, ClassVar

from config.gallery.tags import TAGS


@dataclass(frozen=True)
class Entry:
    """One block of the sample board: minutes since midnight, with what the template shows."""

    id: str
    kind: str
    start: int
    minutes: int
    name: str = ""
    status: str = ""
    detail: str = ""
    lane: int = 0
    lanes: int = 1
    is_telehealth: bool = False
    href: str = "#board"

    words: ClassVar[dict[str, str]] = {tag.kind: tag.label for tag in TAGS}

    @property
    def place(self) -> str:
        hour, minute = divmod(self.start, 60)
        span_hours, span_minutes = divmod(self.minutes, 60)
        lane = f" of-{self.lanes} lane-{self.lane}" if self.lanes > 1 else ""
        return f"h{hour} m{minute} dh{span_hours} dm{span_minutes}{lane}"

    @property
    def is_overbooked(self) -> bool:
        return self.lane > 0

    @property
    def word(self) -> str:
        return self.words.get(self.status, "")

    @property
    def line(self) -> str:
        notes = ["overbooked"] if self.is_overbooked else []
        notes += ["video"] if self.is_telehealth else []
        notes += [self.detail] if self.detail else []
        return " · ".join([self.time, *notes])

    @property
    def label(self) -> str:
        return self.name

    @property
    def time(self) -> str:
        if self.kind == "free":
            return _clock(self.start)
        return f"{_clock(self.start)} to {_clock(self.start + self.minutes)}"


def _clock(minutes: int) -> str:
    hour, minute = divmod(minutes, 60)
    return f"{(hour - 1) % 12 + 1}:{minute:02} {'am' if hour < 12 else 'pm'}"


VISITS: dict[str, list[tuple[int, int, str, str, str]]] = {
    "Dr. Priya Raman": [
        (480, 30, "Ana Torres", "completed", "Follow-up"),
        (510, 30, "Wendell Okafor", "completed", "Follow-up"),
        (555, 15, "Mei Lindqvist", "in-room", "Urgent care"),
        (570, 45, "Joseph Abernathy-Castellanos", "arrived", "New patient"),
        (630, 30, "Ruth Haddad", "confirmed", "Follow-up"),
        (720, 60, "Lunch", "off", ""),
        (810, 30, "Samuel Birch", "scheduled", "Follow-up"),
        (870, 45, "Nora Quist", "confirmed", "New patient"),
    ],
    "Dr. Tomás Ibarra": [
        (480, 45, "Leila Novak", "no-show", "New patient"),
        (540, 30, "Pavel Dunne", "completed", "Follow-up"),
        (600, 30, "Grace Amadi", "confirmed", "Follow-up"),
        (645, 15, "Caller", "held", "Until 10:42 am"),
        (720, 240, "CME", "off", ""),
    ],
    "Dr. Hannah Weiss": [
        (540, 30, "Omar Saleh", "completed", "Follow-up"),
        (585, 30, "Ingrid Moe", "confirmed", "Follow-up"),
        (720, 60, "Lunch", "off", ""),
        (780, 15, "Luis Fonseca", "scheduled", "Follow-up"),
        (795, 15, "Kate Brandt", "scheduled", "Follow-up"),
        (840, 60, "Amara Nwosu", "confirmed", "New patient"),
    ],
    "Lena Fischer, NP": [
        (480, 480, "Vacation", "off", ""),
    ],
}
TELEHEALTH = {"Ingrid Moe", "Samuel Birch"}
OVERBOOKED = {
    "Grace Amadi": Entry(
        "over", "visit", 600, 30, "Theo Lang", "scheduled", "Urgent care", lane=1, lanes=2
    )
}


def _column(number: int, name: str) -> dict[str, Any]:
    entries: list[Entry] = []
    at = 480
    for order, (start, minutes, who, status, detail) in enumerate(VISITS[name]):
        entries += _free(number, at, start)
        over = OVERBOOKED.get(who)
        entries.append(
            Entry(
                f"e{number}-{order}",
                "off" if status == "off" else "visit",
                start,
                minutes,
                who,
                status,
                detail,
                lanes=2 if over else 1,
                is_telehealth=who in TELEHEALTH,
            )
        )
        if over:
            entries.append(over)
        at = start + minutes
    entries += _free(number, at, 960)
    free = sum(entry.kind == "free" for entry in entries)
    return {
        "id": number,
        "name": name,
        "href": "#board",
        "detail": "Family medicine",
        "free_text": f"{free} of 32 free",
        "entries": entries,
    }


def _free(number: int, start: int, end: int) -> list[Entry]:
    return [Entry(f"f{number}-{at}", "free", at, 15) for at in range(start, end, 15)]


def sample_board() -> dict[str, Any]:
    return {
        "label": "Tuesday, June 9",
        "from_hour": 7,
        "to_hour": 17,
        "step": 15,
        "hours": [
            {"hour": hour, "label": f"{(hour - 1) % 12 + 1} {'am' if hour < 12 else 'pm'}"}
            for hour in range(7, 17)
        ],
        "now": {"hour": 9, "minute": 35, "label": "9:36"},
        "columns": [_column(number, name) for number, name in enumerate(VISITS)],
    }
