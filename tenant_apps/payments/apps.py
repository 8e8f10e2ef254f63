from importlib import import_module

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "tenant_apps.payments"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
        import_module(f"{self.name}.invariants").register_invariants()
