from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "shared_apps.access"

    def ready(self) -> None:
        # Models are importable only now.
        from shared_apps.access import registration  # noqa: PLC0415

        registration.register()
