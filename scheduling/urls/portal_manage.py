"""Where patients look after a visit that they have."""

from django.urls import path

from scheduling.views import portal_change, portal_join, portal_manage

urlpatterns = [
    path("appointments/", portal_manage.appointments, name="appointments"),
    path("v/<str:token>/", portal_manage.link, name="link"),
    path("v/<str:token>/join/", portal_join.join_link, name="join_link"),
    path("lost-link/", portal_manage.lost_link, name="lost_link"),
    path("lost-link/sent/", portal_manage.lost_link_sent, name="lost_link_sent"),
    path("visit/<uuid:pk>/", portal_manage.manage, name="manage"),
    path("visit/<uuid:pk>/join/", portal_join.join, name="join"),
    path("visit/<uuid:pk>/confirm/", portal_manage.confirm, name="confirm"),
    path("visit/<uuid:pk>/cancel/", portal_manage.cancel, name="cancel"),
    path("visit/<uuid:pk>/appointment.ics", portal_manage.calendar, name="calendar"),
    path("visit/<uuid:pk>/change/", portal_change.change, name="change"),
    path("visit/<uuid:pk>/change/times/", portal_change.change_times, name="change_times"),
    path("visit/<uuid:pk>/change/check/", portal_change.change_check, name="change_check"),
]
