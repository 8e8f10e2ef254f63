"""What views of higher floors are built on."""

from shared_apps.idempotency.api.views import IdempotentMixin

__all__ = ["IdempotentMixin"]
