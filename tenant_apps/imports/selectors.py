"""Reads of import runs."""

from collections.abc import Iterator

from tenant_apps.imports.models import ImportFinding, ImportRun, ImportState


def findings_of(*, run: ImportRun) -> Iterator[ImportFinding]:
    """What a run found, with what the runs found that it goes on from: those which were stopped
    after the last one that came to its end."""
    earlier = ImportRun.objects.filter(source=run.source, created_at__lt=run.created_at)
    finished = earlier.filter(state=ImportState.FINISHED).order_by("-created_at").first()
    if finished is not None:
        earlier = earlier.filter(created_at__gt=finished.created_at)
    runs = [*earlier.values_list("id", flat=True), run.id]
    found = ImportFinding.objects.filter(run__in=runs).order_by("file_name", "line", "created_at")
    return found.iterator(chunk_size=1000)
