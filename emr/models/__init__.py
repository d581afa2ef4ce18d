"""What is kept of the link to record systems: connections, links, messages, and work for people."""

from emr.models.connection import ConnectionState, EMRCode, EMRConnection, SigningKey
from emr.models.inbound import InboundMessage
from emr.models.link import EMRLink
from emr.models.outbound import OutboundMessage
from emr.models.work import EMRTask, PatientMatch, SyncConflict

__all__ = [
    "ConnectionState",
    "EMRCode",
    "EMRConnection",
    "EMRLink",
    "EMRTask",
    "InboundMessage",
    "OutboundMessage",
    "PatientMatch",
    "SigningKey",
    "SyncConflict",
]
