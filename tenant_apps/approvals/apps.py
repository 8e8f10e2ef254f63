from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "tenant_apps.approvals"
