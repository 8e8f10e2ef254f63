"""What a poster wanted to keep with a journal, in words of its own."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from shared_apps.kernel.fields import CreatedAtField
from shared_apps.kernel.models import RecordQuerySet

METADATA_KEYS_AT_MOST = 20
METADATA_KEY_LENGTH = 40
METADATA_VALUE_LENGTH = 500


class JournalMetadataQuerySet(RecordQuerySet["JournalMetadata"]):
    def saying(self, *, key: str, value: str) -> Self:
        """Those in which the key has this very value."""
        return self.filter(metadata__contains={key: value})


class JournalMetadata(models.Model):
    """Keys and values of one journal, both texts; its id is the journal's. Sealed like transfers.

    Nothing in the books depends on them. Journals without any have no row.
    """

    append_only = True

    id = models.UUIDField(primary_key=True, editable=False)
    # The journal's first leg, by which lists of journals go.
    first_leg_id = models.UUIDField()
    metadata = models.JSONField()
    recorded_at = CreatedAtField()
    recorded_by_id = models.UUIDField(null=True)

    objects = JournalMetadataQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = (
            GinIndex(
                fields=["metadata"],
                opclasses=["jsonb_path_ops"],
                name="ledger_journalmetadata_said",
            ),
        )

    def __str__(self) -> str:
        return str(self.id)
