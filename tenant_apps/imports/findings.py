"""Collects what was mended and refused, in the database and in a report."""

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from tenant_apps.imports.sales_book import Finding

HEADER = ("file", "line", "reference", "outcome", "code", "detail")


class Report:
    """A CSV file that grows as the import goes on: one row for each mended or refused row."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self._file = None

    def __enter__(self) -> "Report":
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(HEADER)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            outcome = "refused" if finding.is_refusal else "mended"
            self.counts[outcome] += 1
            if self._file is not None:
                csv.writer(self._file).writerow(
                    (
                        finding.file_name,
                        finding.line,
                        _harmless(finding.reference),
                        outcome,
                        finding.code,
                        _harmless(finding.detail),
                    )
                )


def _harmless(text: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
