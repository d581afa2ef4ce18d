"""The addresses of the figures, for whoever runs a clinic."""

from django.urls import path

from reminders.views import reports

urlpatterns = [
    path("", reports.start, name="start"),
    path("no-shows/", reports.no_shows_file, name="no_shows_file"),
    path("messages/", reports.messages_file, name="messages_file"),
]
