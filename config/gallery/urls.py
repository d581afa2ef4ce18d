"""The gallery's address."""

from django.urls import path

from config.gallery.views import gallery

urlpatterns = [path("", gallery, name="gallery")]
