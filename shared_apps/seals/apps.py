from importlib import import_module

from django.apps import AppConfig


class SealsConfig(AppConfig):
    name = "shared_apps.seals"

    def ready(self) -> None:
        chains = import_module(f"{self.name}.chains")
        chains.register(import_module(f"{self.name}.audit_chain").AUDIT)
