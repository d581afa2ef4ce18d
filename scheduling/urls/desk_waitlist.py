"""The desk's addresses for freed time, and for who waits for some."""

from django.urls import path

from scheduling.views import desk_gap_acts, desk_gaps, desk_waitlist, desk_waitlist_join

urlpatterns = [
    path("gaps/", desk_gaps.gaps, name="gaps"),
    path("gaps/now/", desk_gaps.gaps_now, name="gaps_now"),
    path("gaps/open/", desk_gap_acts.gap_open, name="gap_open"),
    path("gaps/<uuid:pk>/", desk_gaps.gap, name="gap"),
    path("gaps/<uuid:pk>/now/", desk_gaps.gap_now, name="gap_now"),
    path("gaps/<uuid:pk>/offer/", desk_gap_acts.gap_offer, name="gap_offer"),
    path("gaps/<uuid:pk>/withdraw/", desk_gap_acts.gap_withdraw, name="gap_withdraw"),
    path("offers/<uuid:pk>/<slug:name>/", desk_gap_acts.offer_act, name="offer_act"),
    path("waitlist/", desk_waitlist.waitlist, name="waitlist"),
    path("waitlist/new/", desk_waitlist_join.waitlist_find, name="waitlist_find"),
    path("waitlist/<uuid:pk>/", desk_waitlist.waitlist_entry, name="waitlist_entry"),
    path("waitlist/<uuid:pk>/pause/", desk_waitlist.waitlist_pause, name="waitlist_pause"),
    path("waitlist/<uuid:pk>/resume/", desk_waitlist.waitlist_resume, name="waitlist_resume"),
    path("waitlist/<uuid:pk>/leave/", desk_waitlist.waitlist_leave, name="waitlist_leave"),
    path("patients/<uuid:pk>/wait/", desk_waitlist_join.waitlist_join, name="waitlist_join"),
]
