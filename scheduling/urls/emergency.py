"""A record opened for a while: in an emergency, or for a privacy officer; and the reviews."""

from django.urls import path

from patients.views import emergency_review as review
from scheduling.views import emergency

urlpatterns = [
    path("", emergency.ask, name="ask"),
    path("records/<uuid:pk>/", emergency.record, name="record"),
    path("records/<uuid:pk>/end/", emergency.end, name="end"),
    path("look/", emergency.ask_officer, name="look"),
    path("look/<uuid:pk>/", emergency.looked_at, name="looked_at"),
    path("look/<uuid:pk>/end/", emergency.end_look, name="end_look"),
    path("reviews/", review.reviews, name="reviews"),
    path("reviews/<uuid:pk>/", review.review, name="review"),
]
