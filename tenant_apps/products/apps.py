from importlib import import_module

from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "tenant_apps.products"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
