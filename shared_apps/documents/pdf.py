"""PDF from a typst source and data: the same bytes for the same input, with no system fonts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
import typst

from .errors import PdfFailed

logger = structlog.get_logger(__name__)

# Templates may read files from here and from nowhere else: the shared letterhead.
ROOT = Path(__file__).parent / "typst"
_NO_GLYPH = "could not be displayed with font"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def render(template: str, data: Mapping[str, Any], *, dated: datetime | None = None) -> bytes:
    """Compile a typst source into a PDF/A-3b file, or a plain one where a font lacks a character.

    The source finds `data` as JSON by `#let data = json(bytes(sys.inputs.data))`; texts in it are
    always text, never markup. Fonts: "Libertinus Serif", "New Computer Modern" and
    "DejaVu Sans Mono" come with typst; nothing else is looked up. `dated` is the moment that the
    file's own metadata names.

    :raises PdfFailed: the source does not compile with this data.
    """
    timestamp = int((dated or _EPOCH).timestamp())
    try:
        made = _compiler(template, data).compile(
            format="pdf", pdf_standards="a-3b", timestamp=timestamp
        )
    except typst.TypstError as error:
        if _NO_GLYPH not in error.message:
            raise PdfFailed(error.message) from error
        # PDF/A refuses a text that no font can show. A name in a script beyond our fonts must
        # not leave its owner without any document: it gets a plain PDF with that name in boxes.
        logger.warning("pdf_without_archive_standard")
        made = _compiler(template, data).compile(format="pdf", timestamp=timestamp)
    if not isinstance(made, bytes):
        raise PdfFailed("typst made no single file")
    return made


def _compiler(template: str, data: Mapping[str, Any]) -> typst.Compiler:
    """A compiler works once."""
    return typst.Compiler(
        template.encode(),
        root=ROOT,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, default=_plain, allow_nan=False, sort_keys=True)},
        package_path=ROOT / "packages",
        package_cache_path=ROOT / "packages",
    )


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


def _plain(value: Any) -> Any:
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"A document's data holds no {type(value).__name__}.")
