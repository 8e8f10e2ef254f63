from django.db import migrations

PLANS = (
    ("starter", "Starter", "For a first team.", {"users": 5, "deals_per_month": 100}, 10),
    ("growth", "Growth", "For several teams.", {"users": 50, "deals_per_month": 2000}, 20),
    ("scale", "Scale", "Without limits on people and deals.", {}, 30),
)


def offer(apps, schema_editor):
    plan = apps.get_model("plans", "Plan")
    for code, name, description, quotas, position in PLANS:
        plan.objects.get_or_create(
            code=code,
            defaults={
                "name": name,
                "description": description,
                "quotas": quotas,
                "features": ["receivables", "ledger"],
                "trial_days": 30,
                "position": position,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("plans", "0001_plans")]

    operations = [migrations.RunPython(offer, migrations.RunPython.noop)]
