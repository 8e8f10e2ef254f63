"""What every table of ours has. There are no tables here."""

from collections.abc import Iterable
from typing import Self, TypeVar
from uuid import UUID

from django.db import models

from .errors import NotFound, PreconditionFailed
from .fields import CreatedAtField, UpdatedAtField
from .ids import uuid7

RecordT_co = TypeVar("RecordT_co", bound=models.Model, covariant=True)


class RecordQuerySet(models.QuerySet[RecordT_co]):
    """The verbs that services obtain rows with."""

    def obtain(self, pk: UUID) -> RecordT_co:
        """The row with this id.

        :raises NotFound: it is not in this set, be it because it is not visible.
        """
        row = self.filter(pk=pk).first()
        if row is None:
            raise NotFound(f"There is no such {self.model._meta.verbose_name}.")
        return row

    def for_change(self) -> Self:
        """The rows, locked until the transaction ends; foreign keys may still point at them."""
        return self.select_for_update(of=("self",), no_key=True)

    def locked(self, pk: UUID) -> RecordT_co:
        """The row with this id, locked until the transaction ends.

        :raises NotFound: it is not in this set, be it because it is not visible.
        """
        return self.for_change().order_by().obtain(pk)

    def locked_all(self, pks: Iterable[UUID]) -> list[RecordT_co]:
        """The rows with these ids, locked in the order of their ids, so that two callers queue.

        :raises NotFound: one of them is not in this set.
        """
        wanted = set(pks)
        rows = list(self.filter(pk__in=wanted).order_by("pk").for_change())
        if len(rows) != len(wanted):
            raise NotFound(f"There is no such {self.model._meta.verbose_name}.")
        return rows


class Record(models.Model):
    """A row of ours: time-ordered id, when and by whom it was made and last changed.

    Users are named by their id: they are never deleted, and the kernel knows no users.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = CreatedAtField()
    updated_at = UpdatedAtField()
    created_by_id = models.UUIDField(null=True, blank=True, editable=False)
    updated_by_id = models.UUIDField(null=True, blank=True, editable=False)

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True


class Versioned(models.Model):
    """A row whose every change raises a version that clients see as ETag."""

    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True

    def check_version(self, expected: int | None) -> None:
        """Call it on the locked row; None means that the caller does not mind.

        :raises PreconditionFailed: the row has another version than expected.
        """
        if expected is not None and expected != self.version:
            raise PreconditionFailed(
                f"You read version {expected}; it is at {self.version} now.",
                extra={"current_version": self.version},
            )

    def raise_version(self) -> None:
        """Count one change; the service saves it."""
        self.version += 1
