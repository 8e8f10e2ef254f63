"""Answers that were given under a key, so that a repeated request gets them again."""

from __future__ import annotations

from django.db import models

from shared_apps.kernel.fields import CreatedAtField


class IdempotencyKey(models.Model):
    """The answer to one unsafe request of one user. Only 2xx answers become rows.

    `body` is the answer's data as JSON, empty where it had none.

    Keys belong to a user and stand in the user's own schema. A key that moved money is kept
    for ever; others may be freed after a day.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    user_id = models.UUIDField()
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=512)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True, default="")
    moved_money = models.BooleanField(default=False)
    created_at = CreatedAtField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "key"], name="idempotency_key_of_user_unique"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                name="idempotency_freeable_idx",
                condition=models.Q(moved_money=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key
