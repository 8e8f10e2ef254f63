from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "tenant_apps.parties"
