"""The privacy officer's pages."""

from django.urls import path

from patients.views import privacy
from patients.views.privacy_chain import chain

urlpatterns = [
    path("", privacy.start, name="start"),
    path("file/", privacy.start_file, name="start_file"),
    path("patients/<uuid:pk>/", privacy.patient, name="patient"),
    path("patients/<uuid:pk>/file/", privacy.patient_file, name="patient_file"),
    path("staff/", privacy.staff, name="staff"),
    path("staff/<int:pk>/", privacy.colleague, name="colleague"),
    path("staff/<int:pk>/file/", privacy.colleague_file, name="colleague_file"),
    path("mine/", privacy.own_acts, name="own_acts"),
    path("chain/", chain, name="chain"),
]
