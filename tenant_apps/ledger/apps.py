from importlib import import_module

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "tenant_apps.ledger"

    def ready(self) -> None:
        import_module(f"{self.name}.registration").register()
        import_module(f"{self.name}.subscribers")
        # Whoever posts many credits calls for their counting, so its task is known everywhere.
        import_module(f"{self.name}.tasks")
