"""Records that may be one person's: the queue, the comparison, and what was joined."""

from django.urls import path

from scheduling.views import records, records_check, records_joined, records_of

urlpatterns = [
    path("", records.queue, name="queue"),
    path("pairs/<uuid:pk>/", records.pair, name="pair"),
    path("pairs/<uuid:pk>/check/", records_check.check, name="check"),
    path("pairs/<uuid:pk>/apart/", records.apart, name="apart"),
    path("of/<uuid:pk>/", records_of.of, name="of"),
    path("joined/", records_joined.merges, name="merges"),
    path("joined/<uuid:pk>/", records_joined.merge, name="merge"),
]
