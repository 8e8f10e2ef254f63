from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "shared_apps.accounts"

    def ready(self) -> None:
        # Models exist only now; what is registered here needs them.
        from shared_apps.accounts import registration  # noqa: PLC0415

        registration.register()
