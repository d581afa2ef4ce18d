"""The desk's pages about messages, below desk/: calls to make, texts to answer, what was sent."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
