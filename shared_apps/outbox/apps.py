from importlib import import_module

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "shared_apps.outbox"

    def ready(self) -> None:
        # Requests wake the relay too, so its tasks are known outside the worker as well.
        import_module(f"{self.name}.tasks")
