"""A batch knows the API key that uploaded it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallets", "0006_charge_refunds")]
    operations = [
        migrations.AddField(
            "chargebatch", "api_key_id", models.UUIDField(null=True, editable=False)
        )
    ]
