from importlib import import_module

from django.apps import AppConfig


class InvariantsConfig(AppConfig):
    name = "tenant_apps.invariants"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
