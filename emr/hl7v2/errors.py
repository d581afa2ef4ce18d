"""Why a text is not taken as an HL7 v2 message. Never quotes it."""

from __future__ import annotations

from emr.failures import Refused


class Damaged(Refused):
    """No HL7 v2 message, or one that breaks off: nothing in it can be relied on."""


# Table 0357, which says in an acknowledgement what was wrong with a message.
SEGMENT_MISSING = "100"
FIELD_MISSING = "101"
WRONG_TYPE = "102"
UNKNOWN_VALUE = "103"
UNKNOWN_MESSAGE = "200"
UNKNOWN_EVENT = "201"
UNKNOWN_VERSION = "203"
UNKNOWN_KEY = "204"
LOCKED = "206"
OUR_FAULT = "207"
