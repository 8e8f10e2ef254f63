from importlib import import_module

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "shared_apps.access"

    def ready(self) -> None:
        import_module(f"{self.name}.registration").register()
