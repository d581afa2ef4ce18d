"""Names every fact for which the waitlist refuses to let somebody wait, or to take an offer.

Refuses to know how the refusal is shown, and anything about the patient concerned.
"""

from typing import ClassVar

from scheduling.errors import SchedulingError, gettext_noop


class WaitlistError(SchedulingError):
    """The waitlist refused an act."""

    code: ClassVar[str] = "waitlist"
    message: ClassVar[str] = gettext_noop("The waitlist cannot do this.")


class NotOffered(WaitlistError):
    """Nobody at the clinic who was chosen gives this visit, or not to this patient."""

    code = "not_offered"
    message = gettext_noop("The clinic does not offer this visit with the person you chose.")


class NotYours(WaitlistError):
    """The visit that is to come sooner is another patient's, another clinic's, or not to come."""

    code = "not_yours"
    message = gettext_noop("This visit cannot be replaced by an earlier one.")


class StaffOnly(WaitlistError):
    """Only the clinic says that something is urgent."""

    code = "staff_only"
    message = gettext_noop("Only the clinic can mark this as urgent. Please call the clinic.")


class TooMany(WaitlistError):
    """The patient waits for as many things as one may."""

    code = "too_many_entries"
    message = gettext_noop("You are on the waitlist ten times. Please leave one of them first.")


class AlreadyWaiting(WaitlistError):
    """Another entry of the patient's waits for the same: two would be one."""

    code = "already_waiting"
    message = gettext_noop("Another entry on the waitlist is for the same visit already.")


class EntryEnded(WaitlistError):
    """The entry was booked, was left or is over; `status` says which."""

    code = "entry_ended"
    message = gettext_noop("This place on the waitlist has ended.")

    def __init__(self, message: str = "", *, status: str = "") -> None:
        super().__init__(message)
        self.status = status


class DaysPassed(WaitlistError):
    """A wanted day lies before today, by the clinic's calendar."""

    code = "days_passed"
    message = gettext_noop("Please choose days that are still to come.")


class DaysReversed(WaitlistError):
    """The last wanted day lies before the first."""

    code = "days_reversed"
    message = gettext_noop("The last day cannot be before the first day.")


class TimesReversed(WaitlistError):
    """The latest wanted time of day is not after the earliest."""

    code = "times_reversed"
    message = gettext_noop("The latest time must be after the earliest time.")


class OfferUnknown(WaitlistError):
    """No offer is behind this token, or its visit was over a day ago."""

    code = "offer_unknown"
    message = gettext_noop("This link does not work any more, or it is not complete.")


class OfferEnded(WaitlistError):
    """The offer cannot be taken any more; `status` says how it ended, by the codes of its row."""

    code = "offer_ended"
    message = gettext_noop("This offer has ended. You keep your place on the waitlist.")

    def __init__(self, message: str = "", *, status: str = "") -> None:
        super().__init__(message)
        self.status = status


class GapTaken(WaitlistError):
    """Freed time is offered to somebody else just now, is taken, or is offered no more."""

    code = "gap_taken"
    message = gettext_noop("This gap is offered to somebody else, or taken. Please look again.")


class SuitsNoMore(WaitlistError):
    """Somebody's visit does not fit freed time, or they do not wait any more."""

    code = "suits_no_more"
    message = gettext_noop("This gap does not suit this patient any more.")


class OfferedAlready(WaitlistError):
    """The patient had an offer of this time, or is thinking about another one."""

    code = "offered_already"
    message = gettext_noop("This patient had an offer of this gap, or has one of another time.")
