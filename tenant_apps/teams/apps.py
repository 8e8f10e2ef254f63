from importlib import import_module

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "tenant_apps.teams"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers").subscribe_all()
