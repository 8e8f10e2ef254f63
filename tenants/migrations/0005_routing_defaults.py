"""Versions also for rows that a process of the release before inserts, which names none."""

from django.db import migrations, models

import tenants.models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0004_routing_versions"),
    ]

    operations = [
        migrations.AlterField(
            model_name="domain",
            name="routing_version",
            field=models.BigIntegerField(
                db_default=models.Func(
                    output_field=models.BigIntegerField(),
                    template="(extract(epoch FROM now()) * 1000)",
                ),
                default=tenants.models.first_routing_version,
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="routing_version",
            field=models.BigIntegerField(db_default=1, default=1),
        ),
    ]
