from importlib import import_module

from django.apps import AppConfig


class DealsConfig(AppConfig):
    name = "tenant_apps.deals"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
