"""The privacy officer's addresses: reading the record, and finding whose."""

from django.urls import include, path

urlpatterns = [
    path("", include("scheduling.urls.privacy")),
    path("", include("patients.urls.privacy")),
]
