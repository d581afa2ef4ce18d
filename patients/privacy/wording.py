"""What the audit's codes are called in plain words, for officers and for patients.

Knows no rows: codes in, words out. A code that nobody has named yet is shown as it is.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.models.audit import Act
from providers.models import Role

PATIENT = "PATIENT"
ROLES = {**{role.value: role.label for role in Role}, PATIENT: gettext_lazy("Patient")}
PURPOSES = {
    "scheduling": gettext_lazy("Scheduling"),
    "care": gettext_lazy("Care"),
    "own_record": gettext_lazy("Own visits"),
    "administration": gettext_lazy("Administration"),
    "privacy_review": gettext_lazy("Privacy review"),
    "emergency": gettext_lazy("Emergency"),
    "share": gettext_lazy("Shared by a colleague"),
    "reminder": gettext_lazy("Message to the patient"),
    "message": gettext_lazy("Message to the patient"),
    "text_received": gettext_lazy("Text from a patient"),
    "waitlist": gettext_lazy("Waitlist"),
    "offer": gettext_lazy("Offer to the waitlist"),
    "import": gettext_lazy("Import"),
    "emr": gettext_lazy("Record system"),
    "emr_keys": gettext_lazy("Record system"),
    "emr_launch": gettext_lazy("Sign-in"),
    "finding_doubles": gettext_lazy("Looking for double records"),
    "telling_records_apart": gettext_lazy("Looking for double records"),
    "joining_records": gettext_lazy("Joining double records"),
    "share_ended": gettext_lazy("End of a share"),
    "session": gettext_lazy("Sign-in"),
    "password": gettext_lazy("Sign-in"),
    "second_factor": gettext_lazy("Sign-in"),
    "second_factor_reset": gettext_lazy("Sign-in"),
    "name_index": gettext_lazy("Reading names for the search"),
    "key_rotation": gettext_lazy("Change of keys"),
    "restore_drill": gettext_lazy("Trial of a backup"),
    "sign_in": gettext_lazy("Sign-in"),
    "demo": gettext_lazy("Demonstration"),
}
TO_A_PATIENT = {
    "scheduling": gettext_lazy("To arrange your visits"),
    "care": gettext_lazy("To care for you"),
    "own_record": gettext_lazy("From your own pages"),
    "administration": gettext_lazy("To keep the clinic's system running"),
    "privacy_review": gettext_lazy("To check who looks at records"),
    "emergency": gettext_lazy("In an emergency"),
    "share": gettext_lazy("A colleague asked for help with your care"),
    "reminder": gettext_lazy("To send you a message"),
    "message": gettext_lazy("To send you a message"),
    "text_received": gettext_lazy("To do what your text asked for"),
    "waitlist": gettext_lazy("To keep the waitlist up to date"),
    "offer": gettext_lazy("To offer you an earlier time"),
    "import": gettext_lazy("To bring your record in from another system"),
    "emr": gettext_lazy("To keep your medical record up to date"),
    "finding_doubles": gettext_lazy("To check that you have only one record"),
    "telling_records_apart": gettext_lazy("To check that you have only one record"),
    "joining_records": gettext_lazy("To keep all of your visits in one record"),
    "key_rotation": gettext_lazy("To lock your data with a new key"),
    "restore_drill": gettext_lazy("To try out a backup"),
    "sign_in": gettext_lazy("To sign you in"),
}
SYSTEMS = {
    "system:visitor": gettext_lazy("A visitor with a link or at the booking pages"),
    "system:unattended": gettext_lazy("A command on the server"),
    "system:mail": gettext_lazy("The clinic's mail"),
    "system:codes": gettext_lazy("The clinic's mail"),
    "system:reminders": gettext_lazy("The clinic's reminders"),
    "system:search": gettext_lazy("The patient search"),
    "system:matching": gettext_lazy("The search for double records"),
    "system:waitlist": gettext_lazy("The waitlist"),
    "system:import": gettext_lazy("The import from another system"),
    "system:emr": gettext_lazy("The link to the record system"),
    "system:rotate_keys": gettext_lazy("The change of keys"),
    "system:restore-drill": gettext_lazy("The trial of a backup"),
}
AREAS = {
    "desk": gettext_lazy("Front desk"),
    "messages": gettext_lazy("Front desk"),
    "emr": gettext_lazy("Record system"),
    "emr_provider": gettext_lazy("Provider's pages"),
    "emr_hooks": gettext_lazy("Record system"),
    "provider": gettext_lazy("Provider's pages"),
    "portal": gettext_lazy("Patient's pages"),
    "emergency": gettext_lazy("Emergency access"),
    "records": gettext_lazy("Double records"),
    "privacy": gettext_lazy("Privacy office"),
    "hooks": gettext_lazy("Text messages"),
    "admin": gettext_lazy("Set-up pages"),
}
PAGES = {
    "desk:board": gettext_lazy("Day board"),
    "desk:board_now": gettext_lazy("Day board"),
    "desk:finder": gettext_lazy("Patient search"),
    "desk:patient": gettext_lazy("Patient's page"),
    "desk:patient_edit": gettext_lazy("Patient's details"),
    "desk:appointment": gettext_lazy("Visit"),
    "desk:waitlist": gettext_lazy("Waitlist"),
    "desk:waitlist_entry": gettext_lazy("Waitlist"),
    "desk:gaps": gettext_lazy("Time that came free"),
    "desk:gap": gettext_lazy("Time that came free"),
    "messages:calls": gettext_lazy("Calls to make"),
    "messages:call": gettext_lazy("Call"),
    "messages:texts": gettext_lazy("Texts received"),
    "messages:log": gettext_lazy("Messages sent"),
    "messages:visit": gettext_lazy("Messages about a visit"),
    "emr:tasks": gettext_lazy("Tasks from the record system"),
    "emr:conflicts": gettext_lazy("Conflicts with the record system"),
    "emr:conflict": gettext_lazy("Conflicts with the record system"),
    "emr:patients": gettext_lazy("Patients to find in the record system"),
    "emr:patient": gettext_lazy("Patients to find in the record system"),
    "emr:messages": gettext_lazy("Messages to the record system"),
    "emr:message": gettext_lazy("Messages to the record system"),
    "provider:today": gettext_lazy("Provider's day"),
    "provider:week": gettext_lazy("Provider's week"),
    "provider:visit": gettext_lazy("Provider's visit page"),
    "provider:note": gettext_lazy("Visit note"),
    "portal:appointments": gettext_lazy("My appointments"),
    "portal:choices": gettext_lazy("Messages from the clinic"),
    "portal:waitlist": gettext_lazy("My waitlist"),
    "portal:offered": gettext_lazy("Offer of an earlier time"),
    "portal:choices_of": gettext_lazy("Messages from the clinic"),
    "portal:record_looks": gettext_lazy("Who looked at my record"),
    "privacy:start": gettext_lazy("The record of looks"),
    "hooks:twilio_inbound": gettext_lazy("Text from a patient"),
}
CHANGES = {
    "MOVE": gettext_lazy("Moved your visit"),
    "CONFIRM": gettext_lazy("Confirmed your visit"),
    "CHECK_IN": gettext_lazy("Checked you in"),
    "ROOM": gettext_lazy("Took you to a room"),
    "COMPLETE": gettext_lazy("Closed your visit"),
    "CANCEL": gettext_lazy("Cancelled your visit"),
    "MARK_NO_SHOW": gettext_lazy("Noted that you did not come"),
    "UNDO": gettext_lazy("Took back a change to your visit"),
    "SEND_NOW": gettext_lazy("Made a change to your visit final"),
    "RESTORE": gettext_lazy("Gave you your visit back"),
}
DEEDS = {
    Act.CREATE: gettext_lazy("Added to your record"),
    Act.UPDATE: gettext_lazy("Changed your record"),
    Act.DELETE: gettext_lazy("Removed something from your record"),
    Act.ACCESS: gettext_lazy("Looked at your record"),
    Act.SEARCH: gettext_lazy("Found you in a search"),
    Act.EXPORT: gettext_lazy("Saved a file with your data"),
    Act.PRINT: gettext_lazy("Printed your data"),
    Act.SEND: gettext_lazy("Sent you a message"),
    Act.SHARE: gettext_lazy("Shared your record with a colleague"),
    Act.EMERGENCY: gettext_lazy("Opened your record in an emergency"),
    Act.MERGE: gettext_lazy("Joined two records of yours"),
    Act.REVIEW: gettext_lazy("Checked a look at your record"),
}
WAITS = {
    Act.CREATE: gettext_lazy("Put you on the waitlist"),
    Act.UPDATE: gettext_lazy("Changed your place on the waitlist"),
    Act.DELETE: gettext_lazy("Took you off the waitlist"),
}
SEEN_ON = {
    "desk:board": gettext_lazy("Saw your visit on the day's list"),
    "desk:board_now": gettext_lazy("Saw your visit on the day's list"),
    "provider:today": gettext_lazy("Saw your visit on the day's list"),
    "provider:week": gettext_lazy("Saw your visit on the week's list"),
    "provider:visit": gettext_lazy("Looked at your visit"),
    "provider:note": gettext_lazy("Looked at your visit"),
    "desk:appointment": gettext_lazy("Looked at your visit"),
    "desk:waitlist": gettext_lazy("Saw that you wait for a visit"),
    "desk:waitlist_entry": gettext_lazy("Saw that you wait for a visit"),
    "desk:gaps": gettext_lazy("Saw that a free time is offered to you"),
    "desk:gap": gettext_lazy("Looked for somebody for a free time"),
    "emr:tasks": gettext_lazy("Saw what is to be done for you"),
    "emr:conflicts": gettext_lazy("Compared your visit with the record system"),
    "emr:conflict": gettext_lazy("Compared your visit with the record system"),
    "emr:patients": gettext_lazy("Looked for you in the record system"),
    "emr:patient": gettext_lazy("Looked for you in the record system"),
    "emr:messages": gettext_lazy("Saw what was sent to the record system"),
    "emr:message": gettext_lazy("Saw what was sent to the record system"),
    "hooks:twilio_inbound": gettext_lazy("Read a text from your phone number"),
    "messages:texts": gettext_lazy("Read a text from your phone number"),
    "messages:calls": gettext_lazy("Saw that you should be called"),
    "messages:call": gettext_lazy("Saw that you should be called"),
    "messages:log": gettext_lazy("Saw which messages were sent to you"),
    "messages:visit": gettext_lazy("Saw which messages were sent to you"),
}
OWN_ACCOUNT = gettext_lazy("A patient's own account")
NOBODY = gettext_lazy("A member of staff")


def role_words(roles: str) -> str:
    """ "CLINIC_ADMIN,PROVIDER" → "Clinic admin, Provider"."""
    return ", ".join(str(ROLES.get(role, role)) for role in roles.split(",") if role)


def purpose_words(purpose: str) -> str:
    return str(PURPOSES.get(purpose, purpose))


def page_words(page: str) -> str:
    """Return a page's name, or that of its part of the site: "desk:series" → "Front desk"."""
    area = page.partition(":")[0]
    return str(PAGES.get(page) or AREAS.get(area) or page)


def system_words(system: str) -> str:
    """Return what a part of the system is called: "system:search" → "The system (search)"."""
    known = SYSTEMS.get(system)
    if known:
        return str(known)
    return _("The system (%(part)s)") % {"part": system.removeprefix("system:").replace("_", " ")}


def deed_words(action: int, *, model: str, kind: str, page: str) -> str:
    """Return what was done, as a patient is told it. `kind` is a change of a visit, or empty."""
    if model == "appointment" and action == Act.CREATE:
        return _("Booked a visit for you")
    if model == "appointment" and kind in CHANGES:
        return str(CHANGES[kind])
    if model == "outboundmessage" and action == Act.SEND:
        return _("Told the record system about you")
    if model == "visitnote":
        return _("Wrote a note of your visit")
    if model == "waitlistentry":
        return str(WAITS.get(Act(action), DEEDS[Act.UPDATE]))
    if model == "waitlistoffer":
        return _("Noted your answer to an offered time")
    if model == "patient" and action == Act.CREATE:
        return _("Made your record")
    if model == "patient" and action == Act.UPDATE:
        return _("Changed your details")
    if action == Act.ACCESS and page in SEEN_ON:
        return str(SEEN_ON[page])
    return str(DEEDS.get(Act(action), Act(action).label))


def reason_words(purpose: str) -> str:
    """Return why, as a patient is told it; "" where no purpose was stated."""
    return str(TO_A_PATIENT.get(purpose, ""))
