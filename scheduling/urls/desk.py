"""The desk's addresses: the day board and what happens from it.

Finding stands in `desk_find`, gaps and the waitlist in `desk_waitlist`.
"""

from django.urls import include, path

from scheduling.views import (
    desk_appointment,
    desk_board,
    desk_book,
    desk_move,
    desk_series,
    desk_shortcuts,
)

urlpatterns = [
    path("", desk_board.board, name="board"),
    path("now/", desk_board.board_now, name="board_now"),
    path("clinic/", desk_board.choose_clinic, name="choose_clinic"),
    path("shortcuts/", desk_shortcuts.shortcuts, name="shortcuts"),
    path("book/", desk_book.book, name="book"),
    path("series/", desk_series.series, name="series"),
    path("visits/<uuid:pk>/", desk_appointment.appointment, name="appointment"),
    path("visits/<uuid:pk>/cancel/", desk_appointment.cancel, name="cancel"),
    path("visits/<uuid:pk>/move/", desk_move.move, name="move"),
    path("visits/<uuid:pk>/<slug:name>/", desk_appointment.act, name="act"),
    path("", include("scheduling.urls.desk_find")),
    path("", include("scheduling.urls.desk_waitlist")),
]
