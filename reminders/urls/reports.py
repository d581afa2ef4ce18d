"""Figures for the clinic's staff."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
