"""Seals of an organization's rows, and the anchors of their heads on the platform.

Entries, segments, drops and anchors are added and never changed. The tables stand in both kinds of
schema: the platform seals its own log as well, and anchors are written there alone.
"""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from shared_apps.kernel import clock
from shared_apps.kernel.fields import CreatedAtField
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.models import Record, Versioned

DIGEST_BYTES = 32
# Retention never drops what is younger; the database's own function says the same.
SHORTEST_RETENTION_DAYS = 365


class Segment(models.Model):
    """Up to a thousand rows of one chain, sealed together, with the digest of the one before."""

    append_only: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chain = models.CharField(max_length=20)
    number = models.BigIntegerField()
    form = models.PositiveSmallIntegerField()
    first = models.BigIntegerField(help_text="The place of its first row in the chain, from 1.")
    rows = models.PositiveIntegerField()
    root = models.BinaryField(max_length=DIGEST_BYTES)
    previous = models.BinaryField(max_length=DIGEST_BYTES)
    complete_until = models.DateTimeField(
        null=True, help_text="All rows from before this moment were sealed in earlier segments."
    )
    sealed_at = models.DateTimeField()
    key_id = models.CharField(max_length=40)
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    signature = models.BinaryField(max_length=64)

    class Meta:
        default_permissions = ("view",)
        ordering = ("chain", "-number")
        constraints = (
            models.UniqueConstraint(fields=("chain", "number"), name="seals_segment_number"),
            models.CheckConstraint(name="seals_segment_rows", condition=models.Q(rows__gt=0)),
        )

    def __str__(self) -> str:
        return f"{self.chain} {self.number}"


class Entry(models.Model):
    """Where a row stands in its chain, and the digest of its canonical text."""

    append_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("segment", "chain", "position")
    segment = models.BigIntegerField()
    row_id = models.UUIDField()
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    chain = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField(help_text="Within its segment, from 0.")

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("row_id", "chain"), name="seals_entry_once"),
        )

    def __str__(self) -> str:
        return f"{self.chain} {self.segment}/{self.position}"


class DroppedSegment(models.Model):
    """Says, signed, that retention has dropped the rows of a segment. Its digest stays."""

    append_only: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chain = models.CharField(max_length=20)
    number = models.BigIntegerField()
    dropped_at = CreatedAtField()
    key_id = models.CharField(max_length=40)
    signature = models.BinaryField(max_length=64)

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("chain", "number"), name="seals_droppedsegment_once"),
        )

    def __str__(self) -> str:
        return f"{self.chain} {self.number}"


class Progress(models.Model):
    """How far the search for rows that are not sealed has come. It only saves work: what it says
    wrongly delays a seal until the next sweep, and loses none."""

    chain = models.CharField(max_length=20, primary_key=True)
    file = models.BigIntegerField(default=0, help_text="Another one: the table was rewritten.")
    tail = models.BigIntegerField(default=0, help_text="The block from which each look reads.")
    resume = models.BigIntegerField(default=0, help_text="Where a look ended that was cut short.")
    mark = models.BigIntegerField(default=0, help_text="The next tail, once its writers ended.")
    mark_writers = models.JSONField(default=list, help_text="Who was writing at the mark.")
    stretch = models.BigIntegerField(default=0, help_text="How far the sweep has come.")
    sweep_began_at = models.DateTimeField(default=clock.now)
    complete_until = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.chain


class Anchor(models.Model):
    """A chain's head as the platform saw it: what an organization's own schema cannot take back."""

    append_only: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization_id = models.UUIDField()
    chain = models.CharField(max_length=20)
    number = models.BigIntegerField()
    rows = models.BigIntegerField(help_text="All rows of the chain up to this head.")
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    anchored_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("organization_id", "chain", "number"), name="seals_anchor_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.organization_id} {self.chain} {self.number}"


class SealSetting(Record, Versioned):
    """What the organization wants; one row, made by the first change."""

    mail_heads = models.BooleanField(default=False)
    audit_retention_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=(MinValueValidator(SHORTEST_RETENTION_DAYS), MaxValueValidator(36_500)),
    )

    class Meta:
        default_permissions = ("view", "change")
        constraints = (
            models.CheckConstraint(
                name="seals_sealsetting_retention",
                condition=models.Q(audit_retention_days__isnull=True)
                | models.Q(audit_retention_days__gte=SHORTEST_RETENTION_DAYS),
            ),
        )

    def __str__(self) -> str:
        return "seal settings"
