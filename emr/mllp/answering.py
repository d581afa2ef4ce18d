"""Answers one HL7 v2 message: kept first, then acknowledged; what cannot be kept is sent again.

Looks no further than is needed to say whose it is and that it can be read later.
"""

from __future__ import annotations

import logging
from hashlib import sha256
from uuid import UUID

from django.db import close_old_connections
from django.db import connection as database

from emr.arrivals import receive
from emr.failures import Refused
from emr.hl7v2 import errors
from emr.hl7v2.acks import ack
from emr.hl7v2.errors import Damaged
from emr.hl7v2.parsing import decoded
from emr.hl7v2.reading import Header, appointment_id, check_readable
from emr.kinds import Source, Vendor
from emr.models import EMRConnection
from emr.visits import Told

logger = logging.getLogger(__name__)

LONGEST_KEY = 200
LONGEST_ID = 64


class NotForUs(Refused):
    """It names another receiver, or comes from another sender, than the connection knows."""


def answer(connection_id: UUID, raw: bytes) -> bytes:
    """Keep a message of a connection and return its acknowledgement.

    AA after the commit (also where it is here already), AR for what is no HL7, of a kind that is
    not taken or not for us, AE where the fault is ours: the sender sends it again.
    """
    try:
        text = decoded(raw)
        header = check_readable(text)
    except Refused as error:
        return _refused(raw, error)
    try:
        return _kept(connection_id, text, header)
    except NotForUs as error:
        return _refused(raw, error)
    except Exception:  # whatever it is, the sender must not take it for kept
        logger.exception("mllp.not_kept", extra={"row": str(connection_id)})
        database.close()
        return ack(text, "AE", errors.OUR_FAULT).encode()


def heard(connection_id: UUID, raw: bytes) -> bytes:
    """Answer from a listener's thread, over a database connection that still stands."""
    close_old_connections()
    return answer(connection_id, raw)


def too_long(head: bytes) -> bytes:
    """Answer a message that is longer than any that is taken, by how it began."""
    return ack(head.decode("latin-1"), "AR", errors.OUR_FAULT).encode("latin-1")


def rest() -> None:
    """Give the thread's database connection back."""
    database.close()


def _kept(connection_id: UUID, text: str, header: Header) -> bytes:
    connection = (
        EMRConnection.objects.active()
        .filter(pk=connection_id, vendor=Vendor.HL7V2.value)
        .defer("client_secret", "hook_secret")
        .first()
    )
    if connection is None:
        logger.warning("mllp.connection_inactive", extra={"row": str(connection_id)})
        return ack(text, "AE", errors.OUR_FAULT).encode()
    _check_sides(connection, header)
    told = Told("Appointment", appointment_id(text)[:LONGEST_ID], event=header.event)
    is_new = receive(connection, told, source=Source.HL7, key=_key(header, text), body=text)
    again = "" if is_new else ", again"
    logger.info("mllp.kept %s%s", header.event, again, extra={"row": str(connection_id)})
    return ack(text, "AA").encode()


def _check_sides(connection: EMRConnection, header: Header) -> None:
    """Raises NotForUs. A side that one of the two leaves empty is anybody's."""
    for named, known in (
        (header.receiver, connection.hl7_here),
        (header.sender, connection.hl7_there),
    ):
        wanted = [part.partition("^")[0].strip().lower() for part in known.split("|")]
        for said, want in zip(named, wanted, strict=False):
            if said and want and said.lower() != want:
                raise NotForUs(errors.UNKNOWN_KEY)


def _key(header: Header, text: str) -> str:
    """Name a message by its sender, its control id and what it says beside the clock: some senders
    count from one again."""
    body = "\r".join(text.splitlines()[1:])
    digest = sha256(body.encode()).hexdigest()[:24]
    sender, control_id = header.sender[0], header.control_id
    key = f"hl7:{sender}:{control_id}:{digest}"
    if len(key) <= LONGEST_KEY:
        return key
    return f"hl7:{sha256(key.encode()).hexdigest()}"


def _refused(raw: bytes, error: Refused) -> bytes:
    """Say AR with a code of table 0357, which is what our own refusals are, or none of it fits."""
    code = error.codes[0] if error.codes and error.codes[0].isdigit() else errors.WRONG_TYPE
    if isinstance(error, Damaged):
        code = errors.SEGMENT_MISSING
    logger.warning("mllp.refused %s", code)
    return ack(raw.decode("latin-1"), "AR", code).encode("latin-1")
