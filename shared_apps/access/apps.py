from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "shared_apps.access"
