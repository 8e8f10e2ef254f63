from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "shared_apps.delivery"
