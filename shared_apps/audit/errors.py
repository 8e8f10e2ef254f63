class NotTracked(LookupError):
    """Field history was to be written for a model that keeps none."""
