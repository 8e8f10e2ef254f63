from rest_framework import serializers

from shared_apps.kernel.api.serializers import StrictSerializer


class ContentQuery(StrictSerializer):
    """What a content link carries."""

    signature = serializers.CharField(max_length=1000, help_text="As the link says.")
