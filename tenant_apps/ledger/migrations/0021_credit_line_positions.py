"""Until where the entries of credit lines are settled, so that exposure has two times too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0031_stop_functions"),
    ]

    operations = [
        migrations.CreateModel(
            name="SettledCreditLine",
            fields=[
                ("line_id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]
