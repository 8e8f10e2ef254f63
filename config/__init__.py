"""How the product is put together: settings, routes, entrances."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
