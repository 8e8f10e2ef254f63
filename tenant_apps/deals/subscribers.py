"""What deals do at start-up: keep their field history."""

from __future__ import annotations

from shared_apps.audit import history
from tenant_apps.deals.models import Deal

history.track(Deal)
