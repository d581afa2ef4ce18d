"""Where patients join the waitlist, look after their place on it, and answer offers."""

from django.urls import path

from scheduling.views import (
    portal_offer,
    portal_waitlist,
    portal_waitlist_join,
    portal_waitlist_new,
)

urlpatterns = [
    path("o/<str:token>/", portal_offer.offer_link, name="offer"),
    path("offer/<uuid:pk>/", portal_offer.offered, name="offered"),
    path("offer/<uuid:pk>/accept/", portal_offer.accept, name="offer_accept"),
    path("offer/<uuid:pk>/keep/", portal_offer.keep, name="offer_keep"),
    path("offer/<uuid:pk>/stop/", portal_offer.stop, name="offer_stop"),
    path("waitlist/", portal_waitlist.waitlist, name="waitlist"),
    path("waitlist/<uuid:pk>/", portal_waitlist.entry, name="waitlist_entry"),
    path("waitlist/<uuid:pk>/change/", portal_waitlist.change, name="waitlist_change"),
    path("waitlist/<uuid:pk>/pause/", portal_waitlist.pause, name="waitlist_pause"),
    path("waitlist/<uuid:pk>/resume/", portal_waitlist.resume, name="waitlist_resume"),
    path("waitlist/<uuid:pk>/leave/", portal_waitlist.leave, name="waitlist_leave"),
    path("waitlist/join/<slug:slug>/", portal_waitlist_join.join, name="waitlist_join"),
    path("waitlist/join/<slug:slug>/check/", portal_waitlist_join.check, name="waitlist_check"),
    path(
        "waitlist/join/<slug:slug>/details/", portal_waitlist_new.details, name="waitlist_details"
    ),
    path("waitlist/join/<slug:slug>/code/", portal_waitlist_new.code, name="waitlist_code"),
    path("visit/<uuid:pk>/earlier/", portal_waitlist_join.earlier, name="waitlist_earlier"),
    path(
        "visit/<uuid:pk>/earlier/check/",
        portal_waitlist_join.earlier_check,
        name="waitlist_earlier_check",
    ),
]
