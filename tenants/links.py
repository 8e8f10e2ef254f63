"""Absolute addresses of the platform and of organizations."""

from django.conf import settings


def base_address(host: str) -> str:
    """Scheme, host and, where it is not the usual one, the port."""
    port = f":{settings.PUBLIC_PORT}" if settings.PUBLIC_PORT else ""
    return f"{settings.PUBLIC_SCHEME}://{host}{port}"
