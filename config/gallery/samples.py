"""What the gallery page is rendered with: one sample for every component, all invented."""

from typing import Any

from config.gallery.board import sample_board
from config.gallery.form import SampleForm
from config.gallery.tags import TAGS


def _times(*labels: str) -> list[dict[str, Any]]:
    return [
        {
            "value": label,
            "label": label,
            "note": "video" if ":15" in label else "",
            "checked": label == "9:30 am",
        }
        for label in labels
    ]


SAMPLES: dict[str, Any] = {
    "tags": TAGS,
    "days": [
        {
            "value": "9",
            "label": "Tuesday, June 9",
            "count": "4 times",
            "is_earliest": True,
            "checked": True,
        },
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
    "next_steps": [
        {
            "title": "Any time of day",
            "href": "#",
            "detail": "Tuesday, June 9, 3:30 pm, Dr. Priya Raman",
        },
        {
            "title": "Other providers: Family medicine",
            "href": "#",
            "detail": "Monday, June 8, 8:40 am, Dr. Amara Diallo",
        },
    ],
    "visits": [
        {
            "time": "8:30 am",
            "title": "Ana Torres",
            "href": "#",
            "detail": "Follow-up, Spanish interpreter",
            "tags": [TAGS[2], TAGS[10]],
        },
        {
            "time": "9:00 am",
            "title": "Wendell Okafor",
            "href": "#",
            "detail": "New patient",
            "tags": [TAGS[9], TAGS[1]],
        },
        {
            "time": "9:45 am",
            "title": "Mei Lindqvist",
            "href": "#",
            "detail": "Follow-up",
            "tags": [TAGS[0]],
        },
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
        {
            "href": "#",
            "name": "Ana Torres",
            "dob": "April 7, 1961",
            "phone_ending": "0142",
            "next_visit": "June 9",
            "last_visit": "March 2",
        },
        {
            "href": "#",
            "name": "Victoria Reyes",
            "dob": "November 30, 1988",
            "phone_ending": "0177",
        },
    ],
}


def samples() -> dict[str, Any]:
    """The context of the gallery page, its forms and its board made afresh."""
    return {
        "ending_sign_in": {"seconds": 110, "can_stay": True, "warning": 120, "entry": "#"},
        **SAMPLES,
        "form": SampleForm(),
        "wrong_form": SampleForm({"wrong-email": "ana@", "wrong-code": "1234567"}, prefix="wrong"),
        "board": sample_board(),
    }
