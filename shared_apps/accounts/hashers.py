"""Argon2id at a cost that many people can pay at once."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class FrugalArgon2PasswordHasher(Argon2PasswordHasher):
    """OWASP's first recommendation: 19 MiB, two passes, one lane.

    Django's own parameters take 100 MiB and eight lanes for each check. On the small machines this
    is served from, a handful of strangers signing in at once would use up the memory.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
