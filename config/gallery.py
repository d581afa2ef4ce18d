"""The gallery of components: one page that shows each of them with invented samples.

It knows no model and reads nothing; it exists to be looked at, and for the accessibility tests.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

AUDIENCES = ("portal", "desk", "provider")


class SampleForm(forms.Form):
    """One field of each kind."""

    use_required_attribute = False

    name = forms.CharField(label="Full name", help_text="As on your insurance card")
    email = forms.EmailField(label="E-mail")
    phone = forms.CharField(
        label="Telephone", required=False, widget=forms.TextInput(attrs={"type": "tel"})
    )
    birth = forms.DateField(
        label="Date of birth", widget=forms.DateInput(attrs={"type": "date"})
    )
    kind = forms.ChoiceField(
        label="Visit", choices=[("new", "First visit"), ("follow", "Follow-up")]
    )
    place = forms.ChoiceField(
        label="Where?",
        widget=forms.RadioSelect,
        choices=[("here", "At the clinic"), ("video", "By video"), ("any", "Either")],
    )
    channels = forms.MultipleChoiceField(
        label="How may we remind you?",
        help_text="You can change this at any time",
        widget=forms.CheckboxSelectMultiple,
        choices=[("sms", "Text message"), ("email", "E-mail")],
        required=False,
    )
    code = forms.CharField(
        label="Code from the message",
        max_length=6,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    reason = forms.CharField(label="Reason for the visit", required=False, widget=forms.Textarea)
    agree = forms.BooleanField(label="I have read how my data is kept")


@dataclass(frozen=True)
class Tag:
    kind: str
    label: str


TAGS = [
    Tag("scheduled", "Scheduled"),
    Tag("confirmed", "Confirmed"),
    Tag("arrived", "Arrived"),
    Tag("in-room", "In room"),
    Tag("completed", "Completed"),
    Tag("cancelled", "Cancelled"),
    Tag("no-show", "No-show"),
    Tag("held", "Held"),
    Tag("overbooked", "Overbooked"),
    Tag("telehealth", "Video"),
    Tag("late", "12 min late"),
]


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
OVERBOOKED = {"Grace Amadi": Entry("over", "visit", 600, 30, "Theo Lang", "scheduled",
                                   "Urgent care", lane=1, lanes=2)}


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


def _board() -> dict[str, Any]:
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


def _times(*labels: str) -> list[dict[str, Any]]:
    return [
        {"value": label, "label": label, "note": "video" if ":15" in label else "", "checked": label == "9:30 am"}
        for label in labels
    ]


def _samples() -> dict[str, Any]:
    return {
        "tags": TAGS,
        "form": SampleForm(),
        "wrong_form": SampleForm({"name": "Ana Torres", "email": "ana@", "code": "12"}, prefix="wrong"),
        "board": _board(),
        "days": [
            {"value": "9", "label": "Tuesday, June 9", "count": "4 times", "is_earliest": True, "checked": True},
            {"value": "10", "label": "Wednesday, June 10", "count": "11 times"},
            {"value": "12", "label": "Friday, June 12", "count": "1 time"},
        ],
        "time_groups": [
            {"label": "Morning", "times": _times("8:45 am", "9:30 am", "10:15 am", "11:00 am")},
            {"label": "Afternoon", "times": _times("1:00 pm", "2:15 pm", "3:30 pm")},
            {"label": "Evening", "times": _times("5:30 pm")},
        ],
        "answers": [
            {"label": "Visit", "value": "Follow-up, 30 minutes", "change_href": "#"},
            {"label": "When", "value": "Tuesday, June 9\n3:30 pm", "change_href": "#"},
            {"label": "With", "value": "Dr. Priya Raman", "change_href": "#"},
            {"label": "E-mail", "value": "ana.torres@example.org", "change_href": "#"},
        ],
        "details": [
            {"label": "Born", "value": "April 7, 1961"},
            {"label": "Telephone", "value": "(555) 010-0142"},
            {"label": "With", "value": "Dr. Priya Raman"},
        ],
        "visits": [
            {"time": "8:30 am", "title": "Ana Torres", "href": "#", "detail": "Follow-up, Spanish interpreter", "tags": [TAGS[2], TAGS[10]]},
            {"time": "9:00 am", "title": "Wendell Okafor", "href": "#", "detail": "New patient", "tags": [TAGS[9], TAGS[1]]},
            {"time": "9:45 am", "title": "Mei Lindqvist", "href": "#", "detail": "Follow-up", "tags": [TAGS[0]]},
        ],
        "table_columns": ["Provider", "First free", "Third next available"],
        "table_rows": [
            [("Provider", name), ("First free", first), ("Third next", third)]
            for name, first, third in (
                ("Dr. Priya Raman", "Tuesday, June 9, 3:30 pm", "2 days"),
                ("Dr. Hannah Weiss", "Wednesday, June 10, 8:00 am", "1 day"),
            )
        ],
        "patients": [
            {"href": "#", "name": "Ana Torres", "dob": "April 7, 1961", "phone_ending": "0142", "next_visit": "June 9", "last_visit": "March 2"},
            {"href": "#", "name": "Victoria Reyes", "dob": "November 30, 1988", "phone_ending": "0177"},
        ],
    }


def gallery(request: HttpRequest) -> HttpResponse:
    """Show every component; `?as=desk` in the desk's frame, likewise `provider` and `portal`."""
    chosen = request.GET.get("as")
    audience = chosen if chosen in AUDIENCES else "portal"
    tabs = [
        {"label": name.capitalize(), "href": f"?as={name}", "current": name == audience}
        for name in AUDIENCES
    ]
    context = {"layout": f"{audience}/base.html", "audiences": tabs, **_samples()}
    return render(request, "gallery.html", context)
