from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallets", "0003_charge_sales")]

    operations = [
        migrations.AlterField(
            model_name="reconciledrow",
            name="result",
            field=models.CharField(
                choices=[
                    ("matched", "Matched"),
                    ("missing_here", "Missing here"),
                    ("missing_there", "Missing there"),
                    ("amount_differs", "Amount differs"),
                    ("status_differs", "Status differs"),
                    ("repeated", "Repeated"),
                    ("unreadable", "Unreadable"),
                ],
                max_length=14,
            ),
        ),
    ]
