from importlib import import_module

from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "tenant_apps.parties"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
