from __future__ import annotations

from typing import ClassVar

from django.db import models

from shared_apps.kernel.models import Record


class Document(Record):
    """A file that was checked and stored once. Its content never changes; a new one is a new row.

    Who uploaded it is `created_by_id`.
    """

    append_only: ClassVar[bool] = True

    kind = models.CharField(max_length=60, help_text='What it is for, such as "payment_proof".')
    file_name = models.CharField(max_length=150)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes as stored.")
    sha256 = models.CharField(max_length=64, help_text="Of the bytes as stored, in hex.")
    storage_path = models.CharField(max_length=200, editable=False)

    class Meta(Record.Meta):
        db_table = "documents_document"
        constraints = (
            models.UniqueConstraint(fields=("storage_path",), name="document_storage_path_once"),
        )
        indexes = (models.Index(fields=("kind", "id"), name="document_kind"),)

    def __str__(self) -> str:
        return self.file_name
