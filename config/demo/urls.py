"""The address of the one-click entry."""

from django.urls import path

from config.demo.views import enter

urlpatterns = [path("enter/<slug:audience>/", enter, name="demo_entry")]
