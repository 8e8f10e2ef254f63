from shared_apps.kernel.errors import Conflict


class NotSealedYet(Conflict):
    """The row exists and waits for the next sealing, which comes within minutes."""

    code = "not_sealed_yet"
    title = "The row is not sealed yet."


class SealBroken(Conflict):
    """The row, its entry or its segment is not what was sealed: nothing can be proved of it."""

    code = "seal_broken"
    title = "The row is not what was sealed."


class UnknownSealKey(LookupError):
    """A segment names a key that stands neither in SEAL_KEY nor in SEAL_OLD_PUBLIC_KEYS."""
