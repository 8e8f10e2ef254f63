from importlib import import_module

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "tenant_apps.ledger"

    def ready(self) -> None:
        import_module(f"{self.name}.registration").register()
        import_module(f"{self.name}.subscribers")
