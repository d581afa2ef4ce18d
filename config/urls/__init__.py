"""Every address of the site, by audience. Pages of other packages are named in `third_party`."""

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz, readyz
from patients.views.language import choose_language
from scheduling.views.home import home

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("config.urls.portal")),
    path("home/", home, name="home"),
    path("language/", choose_language, name="language"),
    path("desk/", include(("reminders.urls.desk", "messages"))),
    path("desk/", include(("scheduling.urls.desk", "desk"))),
    path("desk/emr/", include(("emr.urls.desk", "emr"))),
    path("reports/", include(("reminders.urls.reports", "reports"))),
    path("hooks/emr/", include(("emr.urls.hooks", "emr_hooks"))),
    path("hooks/", include(("reminders.urls.hooks", "hooks"))),
    path("provider/", include(("scheduling.urls.provider", "provider"))),
    path("provider/", include(("emr.urls.provider", "emr_provider"))),
    path("records/", include(("scheduling.urls.records", "records"))),
    path("emergency/", include(("scheduling.urls.emergency", "emergency"))),
    path("privacy/", include(("config.urls.privacy", "privacy"))),
    path("emr/", include(("emr.urls.smart", "smart"))),
    path("fhir/", include(("emr.urls.fhir", "fhir"))),
    path("accounts/", include("config.urls.accounts")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]

if apps.is_installed("config.demo"):
    urlpatterns.append(path("gallery/", include("config.gallery.urls")))
    if settings.DEMO_ENTRY:
        urlpatterns.append(path("demo/", include("config.demo.urls")))

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
