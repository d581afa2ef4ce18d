"""Addresses for record systems and their users, below emr/: our keys, and being opened from one."""

from django.urls import URLPattern, path

from emr.views import jwks, launch

urlpatterns: list[URLPattern] = [
    path("jwks.json", jwks.jwks, name="jwks"),
    path("launch/<uuid:pk>/", launch.from_record_system, name="launch"),
    path("standalone/<uuid:pk>/", launch.standalone, name="standalone"),
    path("callback/", launch.callback, name="callback"),
]
