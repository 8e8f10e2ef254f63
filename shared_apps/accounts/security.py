"""How careful the organization is, and how long sessions live with it."""

from __future__ import annotations

from datetime import timedelta

from shared_apps.accounts.models import SecuritySettings


def security_settings() -> SecuritySettings:
    """The organization's, or those of the code where it has chosen none."""
    return SecuritySettings.objects.first() or SecuritySettings()


def idle_life(settings: SecuritySettings) -> timedelta:
    """How long a session lives without a refresh."""
    return timedelta(minutes=settings.session_idle_minutes)


def whole_life(settings: SecuritySettings) -> timedelta:
    """How long a session lives however diligently it is refreshed."""
    return timedelta(days=settings.session_days)
