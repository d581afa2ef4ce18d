"""What staff type to sign in and to change a password; the library's forms check it."""

from __future__ import annotations

from typing import Any

from allauth.account import forms


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
