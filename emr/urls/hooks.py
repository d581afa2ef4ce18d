"""Where record systems notify us."""

from django.urls import path, register_converter

from emr.views import hooks


class TypeName:
    """The name of a resource's type: letters, the first a capital."""

    regex = "[A-Z][A-Za-z]{1,39}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class FhirId(TypeName):
    """An id as FHIR allows it."""

    regex = r"[A-Za-z0-9.\-]{1,64}"


register_converter(TypeName, "hooked_type")
register_converter(FhirId, "hooked_id")

urlpatterns = [
    path("<uuid:pk>/", hooks.notified, name="notified"),
    path(
        "<uuid:pk>/<hooked_type:resource_type>/<hooked_id:resource_id>",
        hooks.notified_of,
        name="notified_of",
    ),
]
