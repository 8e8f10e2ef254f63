"""One spelling for every e-mail address.

Addresses are compared without regard to case. To keep that comparison the same in Python and
in PostgreSQL, an address is ASCII: a domain in another script is kept in its IDNA form.
"""

from __future__ import annotations

from typing import Any

from django.db import models

MAX_LENGTH = 254


def normalise_email(email: str) -> str:
    """Trimmed, lower-case, domain in IDNA form; text that is no address stays text without one.

    It never raises: a sign-in with nonsense must look like a sign-in with a wrong address.
    """
    text = email.strip()[: MAX_LENGTH + 1]
    local, at, domain = text.rpartition("@")
    if at and not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return text.lower()
    return f"{local}{at}{domain}".lower()


class AddressField(models.EmailField):
    """An e-mail address in the house's one spelling, when it is written and when it is sought."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        address = normalise_email(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, address)
        return address

    def get_prep_value(self, value: Any) -> Any:
        return normalise_email(value) if isinstance(value, str) else value
