"""What is deleted when its time is over: counters and one-time secrets. Sessions are history."""

from __future__ import annotations

from datetime import timedelta

from shared_apps.accounts.models import AttemptCounter, OneTimeSecret, SignInCode
from shared_apps.kernel import clock
from shared_apps.kernel.operations import step

_KEPT_FOR = timedelta(days=30)


@step
def delete_expired() -> int:
    """Delete what expired; how many rows. Secrets are kept a month, to explain refusals."""
    now = clock.now()
    counters, _ = AttemptCounter.objects.filter(window_ends_at__lt=now).delete()
    secrets, _ = OneTimeSecret.objects.filter(expires_at__lt=now - _KEPT_FOR).delete()
    codes, _ = SignInCode.objects.filter(expires_at__lt=now).delete()
    return counters + secrets + codes
