"""The desk's pages about messages, below desk/: calls to make, texts to answer, what was sent."""

from django.urls import path

from reminders.views import desk_calls, desk_log, desk_texts, desk_visit

urlpatterns = [
    path("calls/", desk_calls.call_list, name="calls"),
    path("calls/<uuid:pk>/", desk_calls.call, name="call"),
    path("calls/<uuid:pk>/done/", desk_calls.call_done, name="call_done"),
    path("texts/", desk_texts.inbox, name="texts"),
    path("texts/<uuid:pk>/done/", desk_texts.text_handled, name="text_handled"),
    path("messages/", desk_log.delivery_log, name="log"),
    path("visits/<uuid:pk>/messages/", desk_visit.visit_messages, name="visit"),
    path("visits/<uuid:pk>/resend/", desk_visit.resend_message, name="resend"),
]
