"""The WSGI entry point. Its settings come from DJANGO_SETTINGS_MODULE and nowhere else."""

from django.core.wsgi import get_wsgi_application

from config.settings.sealing import refuse_in_web_process

application = get_wsgi_application()

from config.startup import prove_keys  # noqa: E402 - knows models, which are set up by now

refuse_in_web_process()
prove_keys()
