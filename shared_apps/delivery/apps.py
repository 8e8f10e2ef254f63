from importlib import import_module

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "shared_apps.delivery"

    def ready(self) -> None:
        # Requests queue mails too, so its tasks are known outside the worker as well.
        import_module(f"{self.name}.tasks")
