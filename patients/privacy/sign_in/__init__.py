"""How long a sign-in lasts, what it has proved, and how it ends."""

from patients.privacy.sign_in.factor import ask_again, fresh, has_passed, is_fresh
from patients.privacy.sign_in.middleware import SignInMiddleware
from patients.privacy.sign_in.sessions import end_sessions, renew

__all__ = [
    "SignInMiddleware",
    "ask_again",
    "end_sessions",
    "fresh",
    "has_passed",
    "is_fresh",
    "renew",
]
