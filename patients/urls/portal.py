"""Where patients sign in."""

from django.urls import path

from patients.views import portal, portal_record, sessions

urlpatterns = [
    path("my-record/looks/", portal_record.record_looks, name="record_looks"),
    path("my-record/looks/file/", portal_record.record_looks_file, name="record_looks_file"),
    path("sign-in/", portal.sign_in, name="sign_in"),
    path("sign-in/code/", portal.sign_in_code, name="sign_in_code"),
    path("sign-ins/", sessions.of_patient, name="sessions"),
]
