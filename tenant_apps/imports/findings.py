"""What was mended and refused, as a report that a spreadsheet opens."""

import csv
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from tenant_apps.imports.models import ImportFinding

HEADER = ("file", "line", "reference", "outcome", "code", "detail")


def write_report(*, path: Path, findings: Iterable[ImportFinding]) -> None:
    """A CSV file with one row for each mended or refused row.

    `findings` come in the order of files and lines. What several runs found stands once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for _, of_line in groupby(findings, key=lambda one: (one.file_name, one.line)):
            for one in {one.code: one for one in of_line}.values():
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
