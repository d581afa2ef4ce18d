"""Where vendors report what became of messages, and hand over texts."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
