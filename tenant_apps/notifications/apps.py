from importlib import import_module

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "tenant_apps.notifications"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
