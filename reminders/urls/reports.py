"""The addresses of the figures, for whoever runs a clinic."""

from django.urls import path

from reminders.views import reports, reports_waitlist, reports_waitlist_simulation

urlpatterns = [
    path("", reports.start, name="start"),
    path("no-shows/", reports.no_shows_file, name="no_shows_file"),
    path("messages/", reports.messages_file, name="messages_file"),
    path("waitlist/", reports_waitlist.show, name="waitlist"),
    path("waitlist/file/", reports_waitlist.waitlist_file, name="waitlist_file"),
    path(
        "waitlist/simulation/",
        reports_waitlist_simulation.show,
        name="waitlist_simulation",
    ),
    path(
        "waitlist/simulation/use/",
        reports_waitlist_simulation.use,
        name="waitlist_use",
    ),
]
