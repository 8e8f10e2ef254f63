from importlib import import_module

from django.apps import AppConfig


class LimitsConfig(AppConfig):
    name = "tenant_apps.limits"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
