"""The codes and targets that R4 allows where it leaves no choice (required bindings).

Source: HL7 FHIR R4 (4.0.1), the value sets bound as "required" to the elements that we write.
"""

from __future__ import annotations

from collections.abc import Mapping

Words = frozenset[str]


def _words(text: str) -> Words:
    return frozenset(text.split())


RESOURCE_CODES: Mapping[str, Mapping[str, Words]] = {
    "Appointment": {
        "status": _words(
            "proposed pending booked arrived fulfilled cancelled noshow entered-in-error"
            " checked-in waitlist"
        ),
        "participant.status": _words("accepted declined tentative needs-action"),
        "participant.required": _words("required optional information-only"),
    },
    "Bundle": {
        "type": _words(
            "document message transaction transaction-response batch batch-response history"
            " searchset collection"
        ),
        "entry.search.mode": _words("match include outcome"),
    },
    "CapabilityStatement": {
        "status": _words("draft active retired unknown"),
        "kind": _words("instance capability requirements"),
        "fhirVersion": _words("4.0.1"),
        "rest.mode": _words("client server"),
        "rest.resource.interaction.code": _words(
            "read vread update patch delete history-instance history-type create search-type"
        ),
        "rest.resource.searchParam.type": _words(
            "number date string token reference composite quantity uri special"
        ),
    },
    "Coverage": {"status": _words("active cancelled draft entered-in-error")},
    "DocumentReference": {
        "status": _words("current superseded entered-in-error"),
        "docStatus": _words("preliminary final amended entered-in-error"),
        "relatesTo.code": _words("replaces transforms signs appends"),
    },
    "Location": {
        "status": _words("active suspended inactive"),
        "mode": _words("instance kind"),
    },
    "OperationOutcome": {
        "issue.severity": _words("fatal error warning information"),
        "issue.code": _words(
            "invalid structure required value invariant security login unknown expired forbidden"
            " suppressed processing not-supported duplicate multiple-matches not-found deleted"
            " too-long code-invalid extension too-costly business-rule conflict transient"
            " lock-error no-store exception timeout incomplete throttled informational"
        ),
    },
    "Patient": {
        "gender": _words("male female other unknown"),
        "link.type": _words("replaced-by replaces refer seealso"),
    },
    "Practitioner": {"gender": _words("male female other unknown")},
    "PractitionerRole": {"availableTime.daysOfWeek": _words("mon tue wed thu fri sat sun")},
    "Slot": {
        "status": _words("busy free busy-unavailable busy-tentative entered-in-error"),
    },
    "Subscription": {
        "status": _words("requested active error off"),
        "channel.type": _words("rest-hook websocket email sms message"),
    },
    "Task": {
        "status": _words(
            "draft requested received accepted rejected ready cancelled in-progress on-hold"
            " failed completed entered-in-error"
        ),
        "intent": _words(
            "unknown proposal plan order original-order reflex-order filler-order instance-order"
            " option"
        ),
        "priority": _words("routine urgent asap stat"),
    },
}

# Data types, known by the element in which they stand.
ELEMENT_CODES: Mapping[str, Mapping[str, Words]] = {
    "telecom": {
        "system": _words("phone fax email pager url sms other"),
        "use": _words("home work temp old mobile"),
    },
    "identifier": {"use": _words("usual official temp secondary old")},
    "masterIdentifier": {"use": _words("usual official temp secondary old")},
    "name": {"use": _words("usual official temp nickname anonymous old maiden")},
    "address": {
        "use": _words("home work temp old billing"),
        "type": _words("postal physical both"),
    },
    "text": {"status": _words("generated extensions additional empty")},
}

TARGETS: Mapping[str, Mapping[str, Words]] = {
    "Appointment": {
        "participant.actor": _words(
            "Patient Practitioner PractitionerRole RelatedPerson Device HealthcareService Location"
        ),
        "slot": _words("Slot"),
        "basedOn": _words("ServiceRequest"),
    },
    "Coverage": {
        "beneficiary": _words("Patient"),
        "subscriber": _words("Patient RelatedPerson"),
        "payor": _words("Organization Patient RelatedPerson"),
    },
    "DocumentReference": {
        "subject": _words("Patient Practitioner Group Device"),
        "author": _words("Practitioner PractitionerRole Organization Device Patient RelatedPerson"),
        "custodian": _words("Organization"),
        "context.encounter": _words("Encounter EpisodeOfCare"),
    },
    "Location": {"managingOrganization": _words("Organization"), "partOf": _words("Location")},
    "PractitionerRole": {
        "practitioner": _words("Practitioner"),
        "organization": _words("Organization"),
        "location": _words("Location"),
    },
    "Schedule": {
        "actor": _words(
            "Patient Practitioner PractitionerRole RelatedPerson Device HealthcareService Location"
        ),
    },
    "Slot": {"schedule": _words("Schedule")},
    "Task": {
        "owner": _words(
            "Practitioner PractitionerRole Organization CareTeam HealthcareService Patient Device"
            " RelatedPerson"
        ),
        "requester": _words(
            "Device Organization Patient Practitioner PractitionerRole RelatedPerson"
        ),
    },
}

# What may be pointed at by its name alone: insurers are nobody's resource here.
NAMED: Words = frozenset({"Coverage.payor"})

# Elements that hold a moment: always written in UTC, with seconds. A Period may have days alone.
MOMENTS: Words = _words(
    "start end created creation lastUpdated authoredOn lastModified date timestamp valueInstant"
    " valueDateTime"
)
PERIODS: Words = _words("period planningHorizon requestedPeriod valuePeriod")
INTEGERS: Words = _words("minutesDuration rank total valueInteger valuePositiveInt")
BOOLEANS: Words = _words("active allDay preferred valueBoolean conditionalCreate conditionalRead")
