"""The patients' addresses: finding a time, managing a visit, signing in."""

from django.urls import include, path

portal = [
    path("", include("scheduling.urls.portal")),
    path("", include("scheduling.urls.portal_manage")),
    path("", include("scheduling.urls.portal_waitlist")),
    path("", include("patients.urls.portal")),
    path("", include("reminders.urls.portal")),
]
urlpatterns = [path("", include((portal, "portal")))]
