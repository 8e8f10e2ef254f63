"""What invariants do at start-up: register the consumers of the outbox."""

from __future__ import annotations

from tenant_apps.invariants import consumers

__all__ = ["consumers"]
