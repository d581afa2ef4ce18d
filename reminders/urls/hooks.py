"""Where vendors report what became of messages, and hand over texts."""

from django.urls import path

from reminders.views import webhooks

urlpatterns = [
    path("twilio/status/", webhooks.twilio_status, name="twilio_status"),
    path("twilio/texts/", webhooks.twilio_inbound, name="twilio_inbound"),
    path("sendgrid/events/", webhooks.sendgrid_events, name="sendgrid_events"),
]
