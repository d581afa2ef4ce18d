"""A provider's own tasks from the record system, below provider/."""

from django.urls import path

from emr.views import provider_tasks

urlpatterns = [
    path("record-system/<uuid:pk>/done/", provider_tasks.own_task_done, name="own_task_done"),
]
