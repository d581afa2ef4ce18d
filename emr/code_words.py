"""The codes by which record systems say no, as sentences: FHIR issue types, HTTP, HL7 table 0357.

Data only. What is not listed is shown as the code it is.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

_NO_ANSWER = gettext_lazy("It did not answer in time.")
_NOT_REACHED = gettext_lazy("It could not be reached.")
_HUNG_UP = gettext_lazy("It hung up without an answer.")
_NOT_READABLE = gettext_lazy("Its answer could not be read.")
_NOT_ALLOWED = gettext_lazy("We are not allowed to do that there.")
_NOT_LET_IN = gettext_lazy("It does not accept our credentials.")
_NOT_FOUND = gettext_lazy("It does not know this entry.")
_GONE = gettext_lazy("The entry was deleted there.")
_CHANGED = gettext_lazy("The entry was changed there meanwhile.")
_IN_USE = gettext_lazy("Somebody has the entry open there.")
_TOO_MANY = gettext_lazy("It asks us to go slower.")
_BROKEN = gettext_lazy("It has a fault of its own at the moment.")
_MISSING = gettext_lazy("Something that it needs is missing.")
_BAD_VALUE = gettext_lazy("It does not accept one of the values.")
_BAD_CODE = gettext_lazy("It does not know one of the codes, such as the type of visit.")
_RULE = gettext_lazy("A rule of the record system forbids it.")
_NOT_OFFERED = gettext_lazy("It does not offer this.")
_DUPLICATE = gettext_lazy("It has this entry already.")
_SEVERAL = gettext_lazy("It found more than one entry that fits.")
_BREAK_GLASS = gettext_lazy("The patient's record is locked there: somebody has to open it first.")

CODES: dict[str, Promise] = {
    # FHIR R4, value set issue-type
    "invalid": _BAD_VALUE,
    "structure": gettext_lazy("It cannot read what we sent."),
    "required": _MISSING,
    "value": _BAD_VALUE,
    "invariant": _RULE,
    "security": _NOT_ALLOWED,
    "login": _NOT_LET_IN,
    "unknown": _NOT_LET_IN,
    "expired": _NOT_LET_IN,
    "forbidden": _NOT_ALLOWED,
    "suppressed": gettext_lazy("It keeps part of the entry from us."),
    "not-supported": _NOT_OFFERED,
    "duplicate": _DUPLICATE,
    "multiple-matches": _SEVERAL,
    "not-found": _NOT_FOUND,
    "deleted": _GONE,
    "too-long": gettext_lazy("One of the values is too long for it."),
    "code-invalid": _BAD_CODE,
    "extension": _BAD_VALUE,
    "too-costly": _TOO_MANY,
    "business-rule": _RULE,
    "conflict": _CHANGED,
    "transient": _BROKEN,
    "lock-error": _IN_USE,
    "no-store": _BROKEN,
    "exception": _BROKEN,
    "timeout": _NO_ANSWER,
    "incomplete": gettext_lazy("It could not do all of it."),
    "throttled": _TOO_MANY,
    "processing": gettext_lazy("It could not work on what we sent."),
    # HTTP
    "400": gettext_lazy("It cannot read what we sent."),
    "401": _NOT_LET_IN,
    "403": _NOT_ALLOWED,
    "404": _NOT_FOUND,
    "405": _NOT_OFFERED,
    "406": _NOT_OFFERED,
    "408": _NO_ANSWER,
    "409": _CHANGED,
    "410": _GONE,
    "412": _CHANGED,
    "415": _NOT_OFFERED,
    "422": _BAD_VALUE,
    "423": _IN_USE,
    "424": _CHANGED,
    "425": _TOO_MANY,
    "429": _TOO_MANY,
    "500": _BROKEN,
    "501": _NOT_OFFERED,
    "502": _NOT_REACHED,
    "503": _BROKEN,
    "504": _NO_ANSWER,
    "html": _NOT_READABLE,
    "not-json": _NOT_READABLE,
    "empty-body": _NOT_READABLE,
    # what the network says, by the names of its errors
    "connectionerror": _NOT_REACHED,
    "connectionrefusederror": _NOT_REACHED,
    "connecttimeout": _NOT_REACHED,
    "gaierror": _NOT_REACHED,
    "oserror": _NOT_REACHED,
    "brokenpipeerror": _HUNG_UP,
    "chunkedencodingerror": _HUNG_UP,
    "connectionreseterror": _HUNG_UP,
    "contentdecodingerror": _NOT_READABLE,
    "incompleteread": _HUNG_UP,
    "protocolerror": _HUNG_UP,
    "readtimeout": _NO_ANSWER,
    "readtimeouterror": _NO_ANSWER,
    "timeouterror": _NO_ANSWER,
    "sslerror": gettext_lazy("No encrypted connection could be made."),
    "sslcertverificationerror": gettext_lazy("Its certificate is not one that we trust."),
    # our own
    "no-slot": gettext_lazy("It has no open slot at that time."),
    "no-code": gettext_lazy("The type of visit has no code for it."),
    "no-visit-type": gettext_lazy("Its type of visit is none of ours."),
    "no-provider": gettext_lazy("It names no provider whom we know."),
    "unknown-practitioner": gettext_lazy("It names no provider whom we know."),
    "no-author": gettext_lazy("The provider is not linked to anybody there."),
    "no-patient": gettext_lazy("It names no patient."),
    "unknown-patient": gettext_lazy("It names no patient whom we know."),
    "no-name": gettext_lazy("The patient there has no name."),
    "joined-in-a-circle": gettext_lazy("Its records of the patient lead round in a circle."),
    "deceased": gettext_lazy("The record there says that the patient has died."),
    "inactive": gettext_lazy("The record is not in use there any more."),
    "other-clinic": gettext_lazy("The patient belongs to another clinic here."),
    "linked-otherwise": gettext_lazy("That record is linked to another patient here."),
    "replaced": _CHANGED,
    "changed-there": _CHANGED,
    "ended-there": gettext_lazy("The visit has ended there."),
    "contradicts": gettext_lazy("It contradicts what it said before."),
    "no-start": gettext_lazy("It says no time."),
    "no-time": gettext_lazy("It says no time."),
    "no-such-time": gettext_lazy("Its time does not exist on that day: the clocks change."),
    "ends-before-it-starts": gettext_lazy("It ends before it starts."),
    "unknown-status": gettext_lazy("Its status is none that we know."),
    "not-an-appointment": _NOT_READABLE,
    "not-a-patient": _NOT_READABLE,
    "unreadable": _NOT_READABLE,
    "no-id": _NOT_READABLE,
    "fhir-version": gettext_lazy("It speaks another release of FHIR than R4."),
    "capability": _NOT_READABLE,
    "no-capability": gettext_lazy("It does not say what it offers."),
    "address": gettext_lazy("Its address is not one that may be used."),
    "foreign-address": gettext_lazy("It sends us on to somebody else, and we do not go there."),
    "redirect": gettext_lazy("It sends us on to somebody else, and we do not go there."),
    "redirects": gettext_lazy("It sends us on to somebody else, and we do not go there."),
    "no-token-endpoint": gettext_lazy("It does not say where to sign in."),
    "no-access-token": _NOT_LET_IN,
    "invalid_client": _NOT_LET_IN,
    "invalid_scope": gettext_lazy("It does not allow all that the connection asks for."),
    "unauthorized_client": _NOT_LET_IN,
    "no-signing-key": gettext_lazy("There is no key to sign with: make one."),
    "no-tls": gettext_lazy("The connection is not encrypted."),
    "tls": gettext_lazy("No encrypted connection could be made."),
    "tls-their-certificate": gettext_lazy("Its certificate is not one that we trust."),
    "tls-client-certificate": gettext_lazy("It does not accept our certificate."),
    "perhaps-client-certificate": gettext_lazy("It may not accept our certificate."),
    "certificates": gettext_lazy("The certificates of the connection cannot be read."),
    "no-ack": _NO_ANSWER,
    "closed-without-ack": _HUNG_UP,
    "too-often": gettext_lazy("It was tried too often."),
    # Epic's own
    "4127": gettext_lazy("Too many patients there have this name."),
    "4130": _BREAK_GLASS,
    "4131": _BREAK_GLASS,
    # HL7 v2, table 0357
    "100": gettext_lazy("It cannot read what we sent."),
    "101": _MISSING,
    "102": _BAD_VALUE,
    "103": _BAD_CODE,
    "200": _NOT_OFFERED,
    "201": _NOT_OFFERED,
    "202": _NOT_OFFERED,
    "203": _NOT_OFFERED,
    "204": _NOT_FOUND,
    "205": _DUPLICATE,
    "206": _IN_USE,
    "207": _BROKEN,
}
