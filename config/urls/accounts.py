"""The pages of allauth that staff need, and ours beside them: there is no signing up.

Declared here, so that a patient's account does not open what belongs to staff.
"""

from allauth.account import views
from allauth.mfa.base import views as second_step
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkey
from django.urls import path, re_path

from patients.privacy.pages import Audience, page
from patients.views import keeping, sessions
from patients.views import second_step as own_steps
from patients.views.staff import sign_out

staff_only = page(audience=Audience.STAFF, methods=("GET", "POST"))
public = page(audience=Audience.PUBLIC, methods=("GET", "POST"))
to_read = page(audience=Audience.PUBLIC)

password = [
    path("login/", public(views.login), name="account_login"),
    path("logout/", public(sign_out), name="account_logout"),
    path("inactive/", to_read(views.account_inactive), name="account_inactive"),
    path("reauthenticate/", staff_only(views.reauthenticate), name="account_reauthenticate"),
    path("password/change/", staff_only(views.password_change), name="account_change_password"),
    path("password/reset/", public(views.password_reset), name="account_reset_password"),
    path(
        "password/reset/done/",
        to_read(views.password_reset_done),
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        public(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        to_read(views.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
]

second = [
    path("second-step/", staff_only(second_step.index), name="mfa_index"),
    path("second-step/code/", public(second_step.authenticate), name="mfa_authenticate"),
    path("second-step/again/", staff_only(second_step.reauthenticate), name="mfa_reauthenticate"),
    path("second-step/app/", staff_only(app.activate_totp), name="mfa_activate_totp"),
    path("second-step/app/remove/", staff_only(app.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "second-step/recovery/",
        staff_only(recovery.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "second-step/recovery/new/",
        staff_only(recovery.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("second-step/passkeys/", staff_only(passkey.list_webauthn), name="mfa_list_webauthn"),
    path("second-step/passkeys/add/", staff_only(passkey.add_webauthn), name="mfa_add_webauthn"),
    path(
        "second-step/passkeys/again/",
        staff_only(passkey.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "second-step/passkeys/sign-in/", public(passkey.login_webauthn), name="mfa_login_webauthn"
    ),
    path(
        "second-step/passkeys/<int:pk>/remove/",
        staff_only(own_steps.remove_passkey),
        name="mfa_remove_webauthn",
    ),
    path(
        "second-step/passkeys/<int:pk>/rename/",
        staff_only(passkey.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
]

staying = [
    path("session/", keeping.state, name="account_session"),
    path("session/stay/", keeping.stay, name="account_stay"),
    path("unsent/", keeping.unsent_form, name="account_unsent"),
    path("sessions/", sessions.of_staff, name="account_sessions"),
    path(
        "colleagues/<int:pk>/second-step/",
        own_steps.reset_second_factor,
        name="account_reset_second_factor",
    ),
]

urlpatterns = [*password, *second, *staying]
