from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "shared_apps.audit"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
