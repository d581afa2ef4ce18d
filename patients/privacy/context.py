"""What every template may count on."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the site's name, the clinic at hand where there is one, and the demo switch."""
    return {
        "site_name": settings.SITE_NAME,
        "current_clinic": getattr(request, "clinic", None),
        "clinics": getattr(request, "clinics", []),
        "demo_entry": getattr(settings, "DEMO_ENTRY", False),
    }
