"""A strict judge of HL7 v2 messages: hl7apy, by the standard's own tables of each version."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message
from hl7apy.parser import get_message_info, parse_segments

# Table 0396 names HL7's own tables by a pattern, which the judge takes for a name.
PATTERN = re.compile(r"Value HL7\d{4} not in table HL70396")
# The structure of each message by its first events, of which the standard has one for them all.
STRUCTURES = {"SIU": "SIU_S12", "MDM": "MDM_T02", "ACK": "ACK"}


def complaints(text: str) -> list[str]:
    """Return what is wrong with a message. Raises hl7apy's errors and ValueError where it cannot
    even be read strictly."""
    message = strictly_read(text)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        message.validate(report_file=str(report))
        lines = report.read_text().splitlines()
    if _names(message.to_er7()) != _names(text):
        lines.append("Error: a segment was passed over")
    return [line for line in lines if not PATTERN.search(line)]


def strictly_read(text: str) -> Message:
    """Read a message, whose structure MSH-9 does not name in v2.3."""
    strict = VALIDATION_LEVEL.STRICT
    marks, _, version = get_message_info(text)
    structure = STRUCTURES[text.split("|")[8].split("^")[0]]
    message = Message(structure, version=version, validation_level=strict, encoding_chars=marks)
    message.children = parse_segments(
        text, version, marks, strict, message.reference, find_groups=True
    )
    return message


def _names(text: str) -> list[str]:
    return [line.partition("|")[0] for line in text.strip().split("\r")]
