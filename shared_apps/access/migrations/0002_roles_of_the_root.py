from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_units_and_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="role",
            name="root_only",
            field=models.BooleanField(default=False),
        ),
    ]
