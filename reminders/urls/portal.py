"""What patients choose about messages."""

from django.urls import path

from reminders.views import portal_preferences, portal_push, portal_unsubscribe

urlpatterns = [
    path("messages/", portal_preferences.choices, name="choices"),
    path("messages/<uuid:pk>/", portal_preferences.choices_of, name="choices_of"),
    path("messages/<uuid:pk>/device/", portal_push.device, name="device"),
    path("sw.js", portal_push.worker, name="worker"),
    path("stop/<str:token>/", portal_unsubscribe.unsubscribe, name="unsubscribe"),
    path(
        "stop/<str:token>/choose/",
        portal_unsubscribe.unsubscribe_choose,
        name="unsubscribe_choose",
    ),
]
