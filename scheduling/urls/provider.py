"""Page addresses of the provider, below provider/."""

from django.urls import URLPattern, path

from scheduling.views import provider

urlpatterns: list[URLPattern] = [
    path("", provider.today, name="today"),
    path("week/", provider.week, name="week"),
    path("visit/<uuid:pk>/", provider.visit, name="visit"),
    path("visit/<uuid:pk>/note/", provider.note, name="note"),
    path("visit/<uuid:pk>/<slug:name>/", provider.act, name="act"),
]
