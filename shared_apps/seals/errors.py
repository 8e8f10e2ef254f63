from shared_apps.kernel.errors import Conflict, DependencyDown


class NotSealedYet(Conflict):
    """The row exists and waits for the next sealing, within minutes."""

    code = "not_sealed_yet"
    title = "The row is not sealed yet."


class UnknownSealKey(DependencyDown):
    """A segment names a key that is missing in SEAL_KEY and SEAL_OLD_PUBLIC_KEYS."""

    code = "seal_key_unknown"
    title = "A key that sealed is not in the settings."
