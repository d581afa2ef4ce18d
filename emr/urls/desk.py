"""The desk's pages about the record system, below desk/emr/."""

from django.urls import path

from emr.views import (
    desk_arrivals,
    desk_conflicts,
    desk_connections,
    desk_messages,
    desk_names,
    desk_patients,
    desk_tasks,
)

urlpatterns = [
    path("", desk_tasks.tasks, name="tasks"),
    path("tasks/<uuid:pk>/done/", desk_tasks.task_done, name="task_done"),
    path("tasks/<uuid:pk>/open/", desk_tasks.task_open, name="task_open"),
    path("conflicts/", desk_conflicts.conflicts, name="conflicts"),
    path("conflicts/<uuid:pk>/", desk_conflicts.conflict, name="conflict"),
    path("conflicts/<uuid:pk>/<slug:side>/", desk_conflicts.settle, name="settle"),
    path("patients/", desk_patients.patients, name="patients"),
    path("patients/<uuid:pk>/", desk_patients.patient, name="patient"),
    path("patients/<uuid:pk>/link/", desk_patients.patient_link, name="patient_link"),
    path("patients/<uuid:pk>/make/", desk_patients.patient_make, name="patient_make"),
    path("patients/<uuid:pk>/leave/", desk_patients.patient_leave, name="patient_leave"),
    path("messages/", desk_messages.message_list, name="messages"),
    path("messages/again/", desk_messages.replay_all, name="replay_all"),
    path("messages/<uuid:pk>/", desk_messages.message, name="message"),
    path("messages/<uuid:pk>/again/", desk_messages.message_replay, name="message_replay"),
    path("messages/<uuid:pk>/drop/", desk_messages.message_drop, name="message_drop"),
    path("received/<uuid:pk>/", desk_arrivals.arrival, name="arrival"),
    path("received/<uuid:pk>/<slug:name>/", desk_arrivals.arrival_act, name="arrival_act"),
    path("connections/", desk_connections.connections, name="connections"),
    path("connections/<uuid:pk>/try/", desk_connections.connection_try, name="connection_try"),
    path("connections/<uuid:pk>/names/", desk_names.names, name="names"),
]
