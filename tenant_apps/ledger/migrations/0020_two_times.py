"""What the past is read from: derived from the transfers, in the background."""

import django.contrib.postgres.fields
from django.db import migrations, models

import shared_apps.kernel.fields
import tenant_apps.ledger.models.snapshots


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0013_exchange_permission"),
    ]

    operations = [
        migrations.CreateModel(
            name="BalanceDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "stripe",
                        "effective_on",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.UUIDField()),
                ("stripe", models.PositiveSmallIntegerField()),
                ("effective_on", models.DateField()),
                (
                    "change",
                    tenant_apps.ledger.models.snapshots.SumField(decimal_places=0, max_digits=38),
                ),
                (
                    "closing",
                    tenant_apps.ledger.models.snapshots.SumField(decimal_places=0, max_digits=38),
                ),
                ("lines", models.BigIntegerField()),
                ("first_version", models.BigIntegerField(null=True)),
                ("last_version", models.BigIntegerField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BookDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "line_id",
                        "currency",
                        "effective_on",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("line_id", models.UUIDField()),
                ("currency", shared_apps.kernel.fields.CurrencyField(max_length=3)),
                ("effective_on", models.DateField()),
                (
                    "change",
                    tenant_apps.ledger.models.snapshots.SumField(decimal_places=0, max_digits=38),
                ),
                (
                    "closing",
                    tenant_apps.ledger.models.snapshots.SumField(decimal_places=0, max_digits=38),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BookDisplacement",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "line_id",
                        "currency",
                        "segment",
                        "effective_on",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("line_id", models.UUIDField()),
                ("currency", shared_apps.kernel.fields.CurrencyField(max_length=3)),
                ("segment", models.BigIntegerField()),
                ("effective_on", models.DateField()),
                (
                    "late",
                    tenant_apps.ledger.models.snapshots.SumField(
                        decimal_places=0, default=0, max_digits=38
                    ),
                ),
                (
                    "early",
                    tenant_apps.ledger.models.snapshots.SumField(
                        decimal_places=0, default=0, max_digits=38
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BookLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "line_id",
                        "currency",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("line_id", models.UUIDField()),
                ("currency", shared_apps.kernel.fields.CurrencyField(max_length=3)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BookSnapshot",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "line_id",
                        "currency",
                        "segment",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("line_id", models.UUIDField()),
                ("currency", shared_apps.kernel.fields.CurrencyField(max_length=3)),
                ("segment", models.BigIntegerField()),
                (
                    "closing",
                    tenant_apps.ledger.models.snapshots.SumField(decimal_places=0, max_digits=38),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="LateArrival",
            fields=[
                ("transfer_id", models.UUIDField(primary_key=True, serialize=False)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SettledPosition",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "stripe",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.UUIDField()),
                ("stripe", models.PositiveSmallIntegerField()),
                ("version", models.BigIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BalanceDisplacement",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "stripe",
                        "after_version",
                        "effective_on",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.UUIDField()),
                ("stripe", models.PositiveSmallIntegerField()),
                ("after_version", models.BigIntegerField()),
                ("effective_on", models.DateField()),
                (
                    "late",
                    tenant_apps.ledger.models.snapshots.SumField(
                        decimal_places=0, default=0, max_digits=38
                    ),
                ),
                (
                    "early",
                    tenant_apps.ledger.models.snapshots.SumField(
                        decimal_places=0, default=0, max_digits=38
                    ),
                ),
                (
                    "versions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        fields=["account_id", "stripe", "effective_on", "after_version"],
                        name="ledger_displacement_day",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BalanceSnapshot",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "stripe",
                        "block",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.UUIDField()),
                ("stripe", models.PositiveSmallIntegerField()),
                ("block", models.BigIntegerField()),
                ("version", models.BigIntegerField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "posted",
                    tenant_apps.ledger.models.snapshots.SumField(decimal_places=0, max_digits=38),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        fields=["account_id", "stripe", "recorded_at", "version"],
                        name="ledger_balancesnapshot_at",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordedSegment",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("recorded_from", models.DateTimeField()),
                ("recorded_until", models.DateTimeField()),
                (
                    "transfer_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), size=None
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["recorded_until", "number"], name="ledger_segment_until")
                ],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("settled_until", models.DateTimeField(null=True)),
                ("day_offset_minutes", models.SmallIntegerField(default=0)),
                ("transfers", models.BigIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="ledger_settlement_one"
                    )
                ],
            },
        ),
    ]
