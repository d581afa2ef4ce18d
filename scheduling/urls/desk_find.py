"""The desk's addresses for finding patients and free times."""

from django.urls import path

from scheduling.views import desk_find, desk_holds, desk_next, desk_patient

urlpatterns = [
    path("patients/", desk_find.finder, name="finder"),
    path("patients/new/", desk_patient.patient_new, name="patient_new"),
    path("patients/<uuid:pk>/", desk_find.patient, name="patient"),
    path("patients/<uuid:pk>/edit/", desk_patient.patient_edit, name="patient_edit"),
    path("next/", desk_next.next_available, name="next_available"),
    path("holds/", desk_next.hold_place, name="hold_place"),
    path("holds/<uuid:pk>/", desk_holds.hold, name="hold"),
    path("holds/<uuid:pk>/extend/", desk_holds.hold_extend, name="hold_extend"),
    path("holds/<uuid:pk>/release/", desk_holds.hold_release, name="hold_release"),
]
