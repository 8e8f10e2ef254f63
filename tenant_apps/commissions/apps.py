from importlib import import_module

from django.apps import AppConfig


class CommissionsConfig(AppConfig):
    name = "tenant_apps.commissions"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
        import_module(f"{self.name}.invariants").register_invariants()
