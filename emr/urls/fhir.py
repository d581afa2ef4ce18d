"""Our own FHIR face, below fhir/: R4's addresses, without a slash at their end."""

from django.urls import path

from emr.views import face

urlpatterns = [
    path("", face.metadata, name="root"),
    path("metadata", face.metadata, name="metadata"),
    path("$bulk-publish", face.bulk_publish, name="bulk_publish"),
    path("files/locations.ndjson", face.locations, name="locations"),
    path("files/schedules.ndjson", face.schedules, name="schedules"),
    path("files/slots-<uuid:clinic>.ndjson", face.slots, name="slots"),
    path("<str:resource_type>", face.search, name="search"),
    path("<str:resource_type>/<str:resource_id>", face.read, name="read"),
    path("<path:rest>", face.elsewhere, name="elsewhere"),
]
