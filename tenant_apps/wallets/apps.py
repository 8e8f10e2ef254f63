from importlib import import_module

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "tenant_apps.wallets"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
