"""Where a privacy officer says whose record they ask about: a visit's reference will do."""

from django.urls import path

from scheduling.views import privacy_finder

urlpatterns = [path("patients/", privacy_finder.whose, name="whose")]
