from django.apps import AppConfig


class ReferenceConfig(AppConfig):
    name = "shared_apps.reference"
