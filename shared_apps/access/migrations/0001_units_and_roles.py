import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import shared_apps.kernel.clock
import shared_apps.kernel.fields
import shared_apps.kernel.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Role",
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
                ("code", models.SlugField(db_index=False, max_length=40)),
                ("name", models.CharField(max_length=120)),
                ("is_standard", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("code",), name="access_role_code")],
            },
        ),
        migrations.CreateModel(
            name="Unit",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("organization", "Organization"),
                            ("team", "Team"),
                            ("party", "Party"),
                            ("group", "Group"),
                        ],
                        max_length=16,
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("path", models.TextField()),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="access.unit",
                    ),
                ),
            ],
            options={
                "permissions": [("grant_objects", "Can give a person rights on a single record")],
            },
        ),
        migrations.CreateModel(
            name="Membership",
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
                ("is_active", models.BooleanField(default=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="access.role",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="access.unit",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RolePermission",
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
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("own", "Own records"),
                            ("unit", "Records of the unit and below"),
                            ("organization", "All records"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "permission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.permission",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="access.role",
                    ),
                ),
                (
                    "unless_role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.role",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("role", "permission"), name="access_rolepermission_once"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="unit",
            constraint=models.UniqueConstraint(
                fields=("path",), name="access_unit_path", opclasses=["text_pattern_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="unit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "organization")),
                fields=("kind",),
                name="access_unit_one_root",
            ),
        ),
        migrations.AddConstraint(
            model_name="unit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "organization"), ("parent__isnull", True)),
                    models.Q(
                        models.Q(("kind", "organization"), _negated=True), ("parent__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="access_unit_root_has_no_parent",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                fields=("user", "unit", "role"), name="access_membership_once"
            ),
        ),
    ]
