"""What may be wrong with a key."""

from __future__ import annotations

from shared_apps.kernel.errors import BadInput, Conflict, RuleRefused


class KeyRequired(BadInput):
    """The action moves money and the request has no key."""

    code = "idempotency_key_required"
    title = "This needs an Idempotency-Key."


class KeyMalformed(BadInput):
    code = "idempotency_key_malformed"
    title = "The Idempotency-Key has 1 to 255 visible ASCII characters."


class KeyUsedOtherwise(RuleRefused):
    """The key was used for another request before."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key belongs to another request."


class StillRunning(Conflict):
    """The first request with this key has not ended yet."""

    code = "idempotency_request_running"
    title = "The first request with this Idempotency-Key is still running."
