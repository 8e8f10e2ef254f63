"""Every schema has its own content types, with its own ids: their cache is keyed by schema.

Django's cache is one for the process; with threads that serve different tenants it answers with
the ids of another schema.
"""

from typing import Any

from django.contrib.contenttypes.models import ContentType, ContentTypeManager
from django.db import connections


class PerSchemaCache(dict[Any, Any]):
    """Stands where the manager keeps a dict by database alias; keys by alias and schema."""

    LARGEST = 2_000

    def _key(self, using: str) -> tuple[str, str | None]:
        # The wrapper has it; Django's base class does not say so.
        return using, getattr(connections[using], "schema_name", None)

    def __getitem__(self, using: str) -> Any:
        return super().__getitem__(self._key(using))

    def setdefault(self, using: str, default: Any = None) -> Any:
        if len(self) > self.LARGEST:
            super().clear()
        return super().setdefault(self._key(using), default)

    def clear(self) -> None:
        """Forget the schema that is being served; the others stay true."""
        for using in list(connections):
            super().pop(self._key(using), None)


def remember_all() -> None:
    """Load all content types of the schema that is served, in one query instead of one for each."""
    manager: Any = ContentType.objects
    for content_type in manager.all():
        manager._add_to_cache(manager.db, content_type)


def install() -> None:
    """Put the cache in place, for the manager that exists and for those that migrations make."""
    original = ContentTypeManager.__init__

    def with_cache(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self._cache = PerSchemaCache()

    ContentTypeManager.__init__ = with_cache  # type: ignore[method-assign]  # see the docstring
    ContentType.objects._cache = PerSchemaCache()  # type: ignore[attr-defined]  # see the docstring
