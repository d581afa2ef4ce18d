"""Page addresses of the provider, below provider/."""

from django.urls import URLPattern, path

from scheduling.views import provider, provider_join, provider_shared

urlpatterns: list[URLPattern] = [
    path("", provider.today, name="today"),
    path("week/", provider.week, name="week"),
    path("shared/", provider_shared.shared, name="shared"),
    path("shared/<uuid:pk>/", provider_shared.shared_record, name="shared_record"),
    path("patients/<uuid:pk>/shares/", provider_shared.shares, name="shares"),
    path("shares/<uuid:pk>/end/", provider_shared.end_share, name="end_share"),
    path("visit/<uuid:pk>/", provider.visit, name="visit"),
    path("visit/<uuid:pk>/join/", provider_join.join, name="join"),
    path("visit/<uuid:pk>/note/", provider.note, name="note"),
    path("visit/<uuid:pk>/<slug:name>/", provider.act, name="act"),
]
