"""Every status with its word, as the samples show them."""

from dataclasses import dataclass


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
    Tag("best-fit", "Best fit"),
]
