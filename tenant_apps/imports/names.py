"""Names that are spelt in several ways, and addresses made of names."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field

_NOT_LOCAL = re.compile(r"[^a-z0-9]+")
_LONGEST_LOCAL_PART = 40


def likeness(name: str) -> str:
    """What two spellings of one name have in common: letters and digits, in small letters."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if character.isalnum())


def digest(name: str) -> str:
    """A short text that keeps names apart where a plain form of them is the same."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def address_of(name: str, *, mail_domain: str) -> str:
    """An address made of a name, the same in every run. The book has none; people get their own
    when they are let in. A name that its letters do not tell whole has a digest in it."""
    folded = ".".join(name.casefold().split())
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    local = _NOT_LOCAL.sub(".", plain).strip(".")[:_LONGEST_LOCAL_PART]
    if local != folded:
        local = f"{local}.{digest(folded)}".lstrip(".")
    return f"{local}@{mail_domain}"


@dataclass(slots=True)
class Names:
    """Finds a name however it is spelt, as long as one and only one is meant."""

    # In the order in which they were learnt, so that the last ones can be forgotten.
    _exact: dict[str, None] = field(default_factory=dict)
    _alike: dict[str, set[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._exact)

    def add(self, name: str) -> None:
        self._exact[name] = None
        self._alike.setdefault(likeness(name), set()).add(name)

    def forget_all_but(self, number: int) -> None:
        """Know only so many names, those that were learnt first."""
        while len(self._exact) > number:
            name, _ = self._exact.popitem()
            self._alike[likeness(name)].discard(name)

    def find(self, name: str) -> str | None:
        """The known name that is meant, None where none or several could be."""
        if name in self._exact:
            return name
        alike = self._alike.get(likeness(name) or name, set())
        return next(iter(alike)) if len(alike) == 1 else None
