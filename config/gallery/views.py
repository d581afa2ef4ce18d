"""The gallery page: every component once, in the frame of the audience asked for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.gallery.samples import samples
from patients.privacy.pages import Audience, page

AUDIENCES = ("portal", "desk", "provider")


@page(audience=Audience.PUBLIC)
def gallery(request: HttpRequest) -> HttpResponse:
    """Show every component; `?as=desk` in the desk's frame, likewise `provider` and `portal`."""
    chosen = request.GET.get("as")
    audience = chosen if chosen in AUDIENCES else "portal"
    tabs = [
        {"label": name.capitalize(), "href": f"?as={name}", "current": name == audience}
        for name in AUDIENCES
    ]
    context = {"layout": f"{audience}/base.html", "audiences": tabs, **samples()}
    return render(request, "gallery.html", context)
