"""Keys and values that a poster keeps with a journal: append-only, sealed, found by a value."""

import django.contrib.postgres.indexes
from django.db import migrations, models

import shared_apps.kernel.clock
import shared_apps.kernel.fields


class Migration(migrations.Migration):
    dependencies = [("ledger", "0052_holds_of_an_account")]
    operations = [
        migrations.CreateModel(
            name="JournalMetadata",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("first_leg_id", models.UUIDField()),
                ("metadata", models.JSONField()),
                (
                    "recorded_at",
                    shared_apps.kernel.fields.CreatedAtField(
                        default=shared_apps.kernel.clock.now, editable=False
                    ),
                ),
                ("recorded_by_id", models.UUIDField(null=True)),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["metadata"],
                        name="ledger_journalmetadata_said",
                        opclasses=["jsonb_path_ops"],
                    )
                ],
            },
        ),
    ]
