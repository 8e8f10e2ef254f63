from rest_framework import serializers

from shared_apps.plans.models import Plan


class PlanOut(serializers.ModelSerializer[Plan]):
    quotas = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Limit by quota; a quota that is absent is unlimited.",
    )
    features = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Plan
        fields = ("code", "name", "description", "quotas", "features", "trial_days")
