import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import shared_apps.kernel.clock
import shared_apps.kernel.fields
import shared_apps.kernel.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("access", "0001_units_and_roles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=shared_apps.kernel.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    shared_apps.kernel.fields.CreatedAtField(
                        default=shared_apps.kernel.clock.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    shared_apps.kernel.fields.UpdatedAtField(
                        default=shared_apps.kernel.clock.now, editable=False
                    ),
                ),
                ("created_by_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("updated_by_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("subject_type", models.CharField(max_length=100)),
                ("subject_id", models.UUIDField()),
                ("action", models.CharField(max_length=60)),
                ("content_hash", models.CharField(max_length=64)),
                ("field_hashes", models.JSONField()),
                ("required_signatures", models.PositiveSmallIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting for signatures"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("recalled", "Recalled by its maker"),
                            ("voided", "Void, because the content changed"),
                        ],
                        default="pending",
                        max_length=12,
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_by_id", models.UUIDField(blank=True, null=True)),
                ("remark", models.TextField(blank=True, default="")),
                (
                    "maker",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.unit",
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=shared_apps.kernel.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    shared_apps.kernel.fields.CreatedAtField(
                        default=shared_apps.kernel.clock.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    shared_apps.kernel.fields.UpdatedAtField(
                        default=shared_apps.kernel.clock.now, editable=False
                    ),
                ),
                ("created_by_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("updated_by_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("level", models.PositiveSmallIntegerField(default=1)),
                ("comment", models.TextField(blank=True, default="")),
                ("content_hash", models.CharField(max_length=64)),
                ("signed_at", models.DateTimeField()),
                (
                    "approval",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signatures",
                        to="approvals.approval",
                    ),
                ),
                (
                    "signer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                fields=["subject_type", "subject_id"], name="approvals_approval_subject"
            ),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(fields=["state", "created_at"], name="approvals_approval_queue"),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "pending")),
                fields=("subject_type", "subject_id", "action"),
                name="approvals_approval_one_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("state", "pending")),
                    models.Q(
                        models.Q(("state", "pending"), _negated=True), ("closed_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="approvals_approval_closed_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("required_signatures__gte", 1), ("required_signatures__lte", 10)
                ),
                name="approvals_approval_signatures_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(
                fields=("approval", "signer"), name="approvals_signature_distinct_signer"
            ),
        ),
    ]
