"""Runs of an import, and every row that was mended or refused."""

from django.db import models

from shared_apps.kernel.models import Record


class ImportState(models.TextChoices):
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    STOPPED = "stopped", "Stopped before its end"


class ImportRun(Record):
    """One reading of a source. What it wrote carries the source's own references, so that a run
    that was stopped is followed by another that goes on where it ended."""

    source = models.CharField(max_length=60)
    state = models.CharField(
        max_length=10, choices=ImportState.choices, default=ImportState.RUNNING
    )
    verifier_id = models.UUIDField()
    finished_at = models.DateTimeField(null=True, blank=True)
    # Row counts by what became of them: recorded, unchanged, mended, refused.
    counts = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=["source", "created_at"], name="import_run_by_source"),)

    def __str__(self) -> str:
        return f"{self.source} {self.created_at:%Y-%m-%d %H:%M} {self.state}"


class ImportFinding(Record):
    """One row of a file that was mended or refused, and why."""

    append_only = True

    class Outcome(models.TextChoices):
        MENDED = "mended", "Mended"
        REFUSED = "refused", "Refused"

    run = models.ForeignKey(ImportRun, on_delete=models.PROTECT, related_name="findings")
    file_name = models.CharField(max_length=200)
    line = models.PositiveIntegerField()
    reference = models.CharField(max_length=200, blank=True, default="")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    code = models.CharField(max_length=60)
    detail = models.CharField(max_length=500)

    class Meta:
        indexes = (models.Index(fields=["run", "outcome", "line"], name="import_finding_of_run"),)

    def __str__(self) -> str:
        return f"{self.file_name}:{self.line} {self.outcome}: {self.detail}"
