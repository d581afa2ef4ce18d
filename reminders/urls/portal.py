"""What patients choose about messages, and where a video visit begins."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
