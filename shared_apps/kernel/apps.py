import logging.config

from django.apps import AppConfig
from django.conf import settings

from .logging import logging_settings


class KernelConfig(AppConfig):
    name = "shared_apps.kernel"

    def ready(self) -> None:
        # Django's own set-up is switched off by LOGGING_CONFIG: structlog needs its part too.
        if settings.LOGGING_CONFIG is None:
            as_json = settings.LOG_FORMAT == "json"
            logging.config.dictConfig(logging_settings(level=settings.LOG_LEVEL, as_json=as_json))
