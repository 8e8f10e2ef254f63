"""Asking for a signature, and giving one."""

from __future__ import annotations

from typing import ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from shared_apps.access.models import AccessPaths, Unit
from shared_apps.kernel.models import Record, RecordQuerySet

from .errors import ApprovalClosed, MakerCannotSign


class ApprovalState(models.TextChoices):
    PENDING = "pending", "Waiting for signatures"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    RECALLED = "recalled", "Recalled by its maker"
    VOIDED = "voided", "Void, because the content changed"


class ApprovalQuerySet(RecordQuerySet["Approval"]):
    def pending(self) -> Self:
        return self.filter(state=ApprovalState.PENDING)

    def about(self, *, subject_type: str, subject_ids: list[UUID], action: str) -> Self:
        return self.filter(subject_type=subject_type, subject_id__in=subject_ids, action=action)


class Approval(Record):
    """One request that others sign for an action on a subject.

    The signatures cover ``content_hash``. Beside it stands a hash of each field of the content,
    so that a refusal can name what changed without keeping a second copy of the content. Unit
    and owner are the subject's at submission: they decide who sees the request.
    """

    subject_type = models.CharField(max_length=100)
    subject_id = models.UUIDField()
    action = models.CharField(max_length=60)
    content_hash = models.CharField(max_length=64)
    field_hashes = models.JSONField()
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    required_signatures = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(
        max_length=12, choices=ApprovalState.choices, default=ApprovalState.PENDING
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by_id = models.UUIDField(null=True, blank=True)
    remark = models.TextField(blank=True, default="")

    access_paths: ClassVar[AccessPaths] = AccessPaths()

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "action"],
                name="approvals_approval_one_pending",
                condition=Q(state="pending"),
            ),
            models.CheckConstraint(
                name="approvals_approval_closed_once",
                condition=Q(state="pending", closed_at__isnull=True)
                | (~Q(state="pending") & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="approvals_approval_signatures_bounded",
                condition=Q(required_signatures__gte=1, required_signatures__lte=10),
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="approvals_approval_subject"),
            models.Index(fields=["state", "created_at"], name="approvals_approval_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.subject_type} {self.subject_id}"

    def check_pending(self) -> None:
        """:raises ApprovalClosed: it was approved, rejected, recalled or voided before."""
        if self.state != ApprovalState.PENDING:
            raise ApprovalClosed(f"The approval is {self.state}.", extra={"state": self.state})

    def check_not_maker(self, user_id: UUID | None) -> None:
        """:raises MakerCannotSign: the person asked for this approval."""
        if self.maker_id == user_id:
            raise MakerCannotSign

    def changed_fields(self, field_hashes: dict[str, str]) -> list[str]:
        """The names of the content's fields that differ from what was submitted, sorted."""
        names = self.field_hashes.keys() | field_hashes.keys()
        return sorted(
            name for name in names if self.field_hashes.get(name) != field_hashes.get(name)
        )


class Signature(Record):
    """One person's yes. Never changed and never taken back."""

    append_only: ClassVar[bool] = True

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="signatures")
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField(default=1)
    comment = models.TextField(blank=True, default="")
    content_hash = models.CharField(max_length=64)
    signed_at = models.DateTimeField()

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="approval__owner_id", unit="approval__unit_id"
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["approval", "signer"], name="approvals_signature_distinct_signer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.signer_id} on {self.approval_id}"
