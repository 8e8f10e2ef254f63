"""What was mended and refused, as a report that a spreadsheet opens."""

import csv
from collections.abc import Iterable
from pathlib import Path

from tenant_apps.imports.models import ImportFinding

HEADER = ("file", "line", "reference", "outcome", "code", "detail")


def write_report(*, path: Path, findings: Iterable[ImportFinding]) -> None:
    """A CSV file with one row for each mended or refused row; the same finding stands once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        seen: set[tuple[str, int, str]] = set()
        for one in findings:
            key = (one.file_name, one.line, one.code)
            if key not in seen:
                seen.add(key)
                writer.writerow(
                    (
                        one.file_name,
                        one.line,
                        _harmless(one.reference),
                        one.outcome,
                        one.code,
                        _harmless(one.detail),
                    )
                )


def _harmless(text: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
