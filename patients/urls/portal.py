"""Where patients sign in."""

from django.urls import path

from patients.views import portal

urlpatterns = [
    path("sign-in/", portal.sign_in, name="sign_in"),
    path("sign-in/code/", portal.sign_in_code, name="sign_in_code"),
]
