from importlib import import_module

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    name = "shared_apps.onboarding"

    def ready(self) -> None:
        import_module(f"{self.name}.subscribers")
