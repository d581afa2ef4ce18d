"""The few pages of allauth that staff need: there is no signing up."""

from allauth.account import views
from django.urls import path, re_path

from patients.privacy.pages import Audience, page
from patients.views.staff import sign_out

# Declared here, so that a patient's account does not open what belongs to staff.
staff_only = page(audience=Audience.STAFF, methods=("GET", "POST"))

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", sign_out, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", staff_only(views.reauthenticate), name="account_reauthenticate"),
    path(
        "password/change/",
        staff_only(views.password_change),
        name="account_change_password",
    ),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
