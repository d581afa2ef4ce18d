"""Where patients find a time and book it. What stands in an address says nothing about them."""

from django.urls import path

from scheduling.views import portal_book, portal_find, portal_times

urlpatterns = [
    path("", portal_find.start, name="start"),
    path("book/<slug:slug>/", portal_find.clinic, name="clinic"),
    path("book/<slug:slug>/who/", portal_find.who, name="who"),
    path("book/<slug:slug>/visit/", portal_find.visit, name="visit"),
    path("book/<slug:slug>/preferences/", portal_find.preferences, name="preferences"),
    path("book/<slug:slug>/days/", portal_times.days, name="days"),
    path("book/<slug:slug>/times/", portal_times.times, name="times"),
    path("book/<slug:slug>/by-phone/", portal_find.by_phone, name="by_phone"),
    path("held/<uuid:pk>/", portal_book.details, name="details"),
    path("held/<uuid:pk>/extend/", portal_book.extend, name="extend"),
    path("held/<uuid:pk>/again/", portal_book.again, name="again"),
    path("held/<uuid:pk>/check/", portal_book.check, name="check"),
    path("held/<uuid:pk>/code/", portal_book.code, name="code"),
    path("booked/<uuid:pk>/", portal_book.booked, name="booked"),
]
