"""The WSGI entry point. Its settings come from DJANGO_SETTINGS_MODULE and nowhere else."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
