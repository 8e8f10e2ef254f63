"""What may be wrong with a key."""

from __future__ import annotations

from shared_apps.kernel.errors import BadInput, Conflict, RuleRefused


class KeyRequired(BadInput):
    """The action moves money and the request has no key."""

    code = "idempotency_key_required"
    title = "This needs an Idempotency-Key."
    advice = (
        "Send a header Idempotency-Key with a value of your own: a new one for each act, and the"
        " same one when you repeat a request whose answer was lost."
    )


class KeyMalformed(BadInput):
    code = "idempotency_key_malformed"
    title = "The Idempotency-Key has 1 to 255 visible ASCII characters."


class KeyUsedOtherwise(RuleRefused):
    """The key was used for another request before."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key belongs to another request."
    advice = (
        "You sent it before, with another body or to another address. Repeat that request as it"
        " was, or send this one with a new key."
    )


class StillRunning(Conflict):
    """The first request with this key has not ended yet."""

    code = "idempotency_request_running"
    title = "The first request with this Idempotency-Key is still running."
    advice = "Send it again in a moment, with the same key: you will get the answer of the first."
