"""What staff type to sign in and to change a password or a second step."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AskAgainForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms as django_forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from patients import second_factor
from patients.crypto import SealBroken
from patients.secrets import open_text, seal_text
from patients.throttle import TooManyRequests

TOTP_SESSION_KEY = "mfa.totp.secret"
TOTP_PURPOSE = "second-factor-set-up"
LONGEST_CODE = 40
LONGEST_NAME = 60


class WithoutPlaceholders:
    """A placeholder that repeats its label is only one more thing to read."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class SignInForm(WithoutPlaceholders, forms.LoginForm):  # type: ignore[misc]  # untyped library
    pass


class ReauthenticateForm(WithoutPlaceholders, forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(WithoutPlaceholders, forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordKeyForm(WithoutPlaceholders, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


def code_field(label: Any, hint: Any = "") -> django_forms.CharField:
    """Return a field for a short code: pasted, spoken by the keyboard, or typed with spaces."""
    widget = django_forms.TextInput(
        attrs={"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}
    )
    return django_forms.CharField(
        label=label, help_text=hint, widget=widget, max_length=LONGEST_CODE
    )


class _CodeForm:
    """Takes a code of the app, or one of the recovery codes."""

    user: Any
    fields: dict[str, Any]
    cleaned_data: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = code_field(
            _("Code"), _("6 digits from your app, or one of your recovery codes.")
        )

    def clean_code(self) -> str:
        adapter = get_adapter()
        try:
            factor = second_factor.accept(self.user, self.cleaned_data["code"])
        except TooManyRequests:
            raise adapter.validation_error("too_many_tries") from None
        if factor is None:
            second_factor.refused(self.user)
            first = Authenticator.objects.filter(user=self.user).order_by("-type").first()
            if first is not None:
                self._emit_authentication_failed(first)  # type: ignore[attr-defined]
            raise adapter.validation_error("incorrect_code")
        self.authenticator = factor
        return str(self.cleaned_data["code"])


class EnterCodeForm(_CodeForm, AuthenticateForm):  # type: ignore[misc]  # untyped library
    pass


class EnterCodeAgainForm(_CodeForm, AskAgainForm):  # type: ignore[misc]  # untyped library
    pass


class SetUpAppForm(totp_forms.ActivateTOTPForm):  # type: ignore[misc]  # untyped library
    """Proves that the app has the secret, which waits sealed in the session until then."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        django_forms.Form.__init__(self, *args, **kwargs)
        self.fields["code"] = code_field(_("Code"), _("6 digits, as your app shows them now."))
        self.secret = self._waiting() if self.is_bound else ""
        if not self.secret:
            self.secret = generate_totp_secret()
            sealed = seal_text(TOTP_PURPOSE, str(self.user.pk), self.secret)
            context.request.session[TOTP_SESSION_KEY] = sealed

    def _waiting(self) -> str:
        """Return the secret that this browser was shown; "" where none is left."""
        sealed = context.request.session.get(TOTP_SESSION_KEY, "")
        try:
            return open_text(TOTP_PURPOSE, str(self.user.pk), sealed)
        except SealBroken:
            return ""

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        try:
            second_factor.BY_USER.spend(str(self.user.pk))
        except TooManyRequests:
            raise get_adapter().validation_error("too_many_tries") from None
        step = second_factor.is_code_of(self.secret, code, after=0)
        if step is None:
            raise get_adapter().validation_error("incorrect_code")
        context.request.set_up_with_step = step
        second_factor.BY_USER.give_back(str(self.user.pk))
        return code


class _PasskeyForm:
    """A browser sends what it likes: anything but a passkey's answer is told kindly."""

    user: Any

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except ValidationError:
            second_factor.refused(self.user)
            raise
        except (AttributeError, KeyError, TypeError, ValueError):  # a hostile answer's shape
            second_factor.refused(self.user)
            raise get_adapter().validation_error("unusable_passkey") from None


class PasskeySignInForm(_PasskeyForm, webauthn_forms.LoginWebAuthnForm):  # type: ignore[misc]
    pass


class PasskeyForm(_PasskeyForm, webauthn_forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class PasskeyAgainForm(_PasskeyForm, webauthn_forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class AddPasskeyForm(webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]  # untyped library
    name = django_forms.CharField(
        label=_("Name of this passkey"),
        help_text=_("So that you know it again, such as “Phone” or “Key at the desk”."),
        required=False,
        max_length=LONGEST_NAME,
    )
    passwordless = django_forms.BooleanField(
        label=_("Also sign in with it alone, without a password"),
        help_text=_("Your device then asks for your fingerprint, face or PIN."),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError):  # a hostile answer's shape
            raise get_adapter().validation_error("unusable_passkey") from None
        return cleaned


class RenamePasskeyForm(webauthn_forms.EditWebAuthnForm):  # type: ignore[misc]  # untyped library
    name = django_forms.CharField(label=_("Name of this passkey"), max_length=LONGEST_NAME)
