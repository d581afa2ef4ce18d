"""Names every fact for which scheduling refuses an act, with a code and words for a person.

Refuses to know who asked, how the refusal is shown, and anything about the patient concerned.
"""

from typing import ClassVar


def gettext_noop(words: str) -> str:
    """Mark words for the catalogue; `refusal_words` translates them when they are shown."""
    return words


class SchedulingError(Exception):
    """An act was refused; `code` names the fact, `str()` may be shown to a person."""

    code: ClassVar[str] = "refused"
    message: ClassVar[str] = gettext_noop("This cannot be done.")

    def __str__(self) -> str:
        return super().__str__() or self.message


class SlotTaken(SchedulingError):
    """The provider's time is booked, or `held` for somebody who is about to book."""

    code = "slot_taken"
    message = gettext_noop("This time is no longer available.")

    def __init__(self, message: str = "", *, held: bool = False) -> None:
        super().__init__(message)
        self.held = held


class PatientBusy(SchedulingError):
    """The patient has another visit at that time."""

    code = "patient_busy"
    message = gettext_noop("The patient already has an appointment at this time.")


class PatientJoined(SchedulingError):
    """The patient's record was joined into another one a moment ago."""

    code = "patient_joined"
    message = gettext_noop("This patient's record has just been joined with another. Try again.")


class HoldExpired(SchedulingError):
    """The hold ran out, or never was, before the booking was made."""

    code = "hold_expired"
    message = gettext_noop(
        "The time was kept for you, but the wait was too long. Please choose a time again."
    )


class TooManyHolds(SchedulingError):
    """One browser or one network keeps as many times as it may."""

    code = "too_many_holds"
    message = gettext_noop(
        "Too many times are being kept at once. Please finish or leave one of them first."
    )


class Busy(SchedulingError):
    """Others were changing the same calendar for too long; the same request may be sent again."""

    code = "busy"
    message = gettext_noop("Many people are booking right now. Please try again.")


class OutsideHours(SchedulingError):
    """The visit does not lie in the provider's working hours, or starts off their grid."""

    code = "outside_hours"
    message = gettext_noop("The provider does not see patients at this time.")


class ProviderAway(SchedulingError):
    """The provider has time off during the visit."""

    code = "provider_away"
    message = gettext_noop("The provider is away at this time.")


class ClinicClosed(SchedulingError):
    """The clinic is closed during the visit."""

    code = "clinic_closed"
    message = gettext_noop("The clinic is closed at this time.")


class ProviderInactive(SchedulingError):
    """The provider takes no appointments any more, or not yet."""

    code = "provider_inactive"
    message = gettext_noop("This provider does not take appointments.")


class TypeNotAllowed(SchedulingError):
    """The hours at that time are kept for other types of visit."""

    code = "type_not_allowed"
    message = gettext_noop("This type of visit is not offered at this time.")


class TooSoon(SchedulingError):
    """The start is nearer than the visit type's minimum notice."""

    code = "too_soon"
    message = gettext_noop(
        "This time is too soon to be booked. Please choose a later one or call the clinic."
    )


class TooFar(SchedulingError):
    """The start lies beyond the visit type's horizon."""

    code = "too_far"
    message = gettext_noop("This time cannot be booked yet. Please choose an earlier one.")


class InThePast(SchedulingError):
    """The start has passed."""

    code = "in_the_past"
    message = gettext_noop("This time has passed.")


class TooLateToChange(SchedulingError):
    """The patient's cut-off for changes has passed; staff may still override it."""

    code = "too_late_to_change"
    message = gettext_noop(
        "It is too late to change this appointment here. Please call the clinic."
    )


class IllegalTransition(SchedulingError):
    """The act is not possible from the appointment's status."""

    code = "illegal_transition"

    def __init__(self, act: str, status: str) -> None:
        super().__init__(act, status)
        self.act = act
        self.status = status

    def __str__(self) -> str:
        act, status = (word.lower().replace("_", " ") for word in (self.act, self.status))
        return f"Not possible ({act}): the appointment is {status}."


class Stale(SchedulingError):
    """Somebody else changed the appointment after it was read."""

    code = "stale"
    message = gettext_noop("Somebody changed this appointment meanwhile. Please look at it again.")


class UndoExpired(SchedulingError):
    """The time within which the act could be undone is over."""

    code = "undo_expired"
    message = gettext_noop("It is too late to undo this.")


class KeyReused(SchedulingError):
    """The idempotency key was used before, with another request."""

    code = "key_reused"
    message = gettext_noop("This form was already sent with other details. Please start again.")


class TooEarly(SchedulingError):
    """The visit has not begun, or its grace period for a late patient is not over."""

    code = "too_early"
    message = gettext_noop("It is too early for this: the appointment's time has not come.")
