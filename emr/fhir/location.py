"""Location: a clinic's place. Its address is taken apart where it is written as on an envelope."""

from __future__ import annotations

import re
from typing import Any

from emr.fhir.building import filled
from emr.fhir.checking import checked

Json = dict[str, Any]
_CITY = re.compile(r"(?P<city>[^,]+),\s*(?P<state>[A-Z]{2})\s+(?P<postalCode>\d{5}(?:-\d{4})?)")


def location(
    *, name: str, address: str = "", phone: str = "", web: str = "", location_id: str = ""
) -> Json:
    """Return a place in use; `address` is lines of text, `web` its own page. Raises Invalid."""
    return checked(
        filled(
            {
                "resourceType": "Location",
                "id": location_id,
                "status": "active",
                "name": name,
                "mode": "instance",
                "telecom": [
                    {"system": "phone", "value": phone, "use": "work"} if phone else {},
                    {"system": "url", "value": web, "use": "work"} if web else {},
                ],
                "address": _address(address),
            }
        )
    )


def _address(written: str) -> Json:
    """Return lines, city, state and code of a US address; of another the lines alone."""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    if not lines:
        return {}
    text = ", ".join(lines)
    found = _CITY.fullmatch(lines[-1])
    if found and len(lines) > 1:
        return {"use": "work", "text": text, "line": lines[:-1], **found.groupdict(default="")}
    return {"use": "work", "text": text, "line": lines}
