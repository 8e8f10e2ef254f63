"""Is this file what it may be? Judged by its bytes: names and declared types are claims.

Images are decoded and written anew, which shrinks them and leaves behind everything that is not
picture: EXIF with its places, scripts, second files appended to the first.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from PIL import Image, ImageOps

from .errors import (
    FileEmpty,
    FileRefused,
    FileTooLarge,
    FileTypeRefused,
    FileUnreadable,
    ImageTooLarge,
)

JPEG, PNG, WEBP, PDF_TYPE = "image/jpeg", "image/png", "image/webp", "application/pdf"
IMAGES: frozenset[str] = frozenset({JPEG, PNG, WEBP})
PDF: frozenset[str] = frozenset({PDF_TYPE})
MEGABYTE = 1024 * 1024

_CHUNK = 64 * 1024
_PIXELS = {JPEG: 50_000_000, PNG: 25_000_000, WEBP: 25_000_000}
_LONGEST_SIDE = 2400
_JPEG_QUALITY = 82
# Honest progressive JPEGs have about ten; each one goes over the whole picture again.
_JPEG_SCANS = 50
_NAME_LENGTH = 120
_PILLOW_FORMAT = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
# Within picture data 0xFF is followed by 0x00 or a restart mark, 0xFF itself is padding.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_JPEG_MARKERS_ALONE = frozenset({0x01, 0xD8})
_EXTENSIONS = {
    JPEG: ("jpg", "jpeg", "jfif", "jpe"),
    PNG: ("png",),
    WEBP: ("webp",),
    PDF_TYPE: ("pdf",),
}
_UNKNOWN_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """What may be stored: harmless bytes, their true type, and a harmless name."""

    content: bytes
    content_type: str
    file_name: str

    @property
    def extension(self) -> str:
        return _EXTENSIONS[self.content_type][0]


def checked(
    file: IO[bytes],
    *,
    name: str,
    declared_type: str,
    allowed: Collection[str],
    max_bytes: int,
) -> CheckedFile:
    """Read an upload and decide. Memory use is bounded by `max_bytes` and the pixel limits.

    :raises FileEmpty: it has no bytes.
    :raises FileTooLarge: it has more than `max_bytes`.
    :raises FileTypeRefused: its bytes are of no allowed type, or its name claims another kind.
    :raises FileUnreadable: it begins like an allowed type and goes on like something else.
    :raises ImageTooLarge: decoding it would take too much memory.
    """
    content = _read(file, max_bytes=max_bytes)
    found = type_of(content)
    if found is None or found not in allowed:
        raise FileTypeRefused(_accepted(allowed))
    _require_honest_claims(name=name, declared_type=declared_type, found=found, allowed=allowed)
    if found in IMAGES:
        content, found = _picture_only(content, found), JPEG
    else:
        _require_whole_pdf(content)
    extension = _EXTENSIONS[found][0]
    return CheckedFile(
        content=content, content_type=found, file_name=safe_name(name, extension=extension)
    )


def type_of(content: bytes) -> str | None:
    """The media type that the first bytes stand for, among those we know."""
    signatures: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
        (JPEG, lambda head: head.startswith(b"\xff\xd8\xff")),
        (PNG, lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
        (WEBP, lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP"),
        (PDF_TYPE, lambda head: re.match(rb"%PDF-[12]\.\d", head) is not None),
    )
    head = content[:16]
    return next((name for name, fits in signatures if fits(head)), None)


def safe_name(name: str, *, extension: str) -> str:
    """A file name without path, control, format or bidirectional characters, ending as it must."""
    base = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", base)
        if unicodedata.category(character)[0] != "C" and character not in '<>:"|?*;%'
    )
    stem = kept.rsplit(".", 1)[0] if "." in kept else kept
    stem = stem.strip(" .")[:_NAME_LENGTH].strip(" .")
    return f"{stem or 'file'}.{extension}"


def _read(file: IO[bytes], *, max_bytes: int) -> bytes:
    """At most one byte more than is allowed, whatever length the sender announced."""
    file.seek(0)
    read = bytearray()
    while chunk := file.read(min(_CHUNK, max_bytes + 1 - len(read))):
        read += chunk
        if len(read) > max_bytes:
            raise FileTooLarge(f"At most {max_bytes // MEGABYTE} MB are accepted.")
    if not read:
        raise FileEmpty()
    return bytes(read)


def _accepted(allowed: Collection[str]) -> str:
    names = sorted(extension.upper() for kind in allowed for extension in _EXTENSIONS[kind][:1])
    return f"Accepted are: {', '.join(names)}."


def _require_honest_claims(
    *, name: str, declared_type: str, found: str, allowed: Collection[str]
) -> None:
    """A picture may be called after another picture format, nothing else may be misnamed."""
    family = IMAGES & set(allowed) if found in IMAGES else {found}
    endings = {extension for kind in family for extension in _EXTENSIONS[kind]}
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    if "." in base and base.rsplit(".", 1)[1].strip().lower() not in endings:
        raise FileTypeRefused("The file's name ends like another type than its content has.")
    claimed = declared_type.split(";")[0].strip().lower().replace("image/jpg", JPEG)
    if claimed not in _UNKNOWN_TYPES and claimed not in family:
        raise FileTypeRefused("The file was declared as another type than its content has.")


def _picture_only(content: bytes, found: str) -> bytes:
    """The picture as a fresh JPEG of at most 2400 pixels a side, upright, on white."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decoded(content, found)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge() from error
    except FileRefused:
        raise
    except Exception as error:
        # Decoders raise whatever they stumble over: struct, value, OS and syntax errors.
        raise FileUnreadable() from error


def _decoded(content: bytes, found: str) -> bytes:
    if found == JPEG and _scans_in(content) > _JPEG_SCANS:
        raise FileUnreadable("The picture is built in a way that takes very long to decode.")
    with Image.open(io.BytesIO(content), formats=[_PILLOW_FORMAT[found]]) as probe:
        _require_modest(probe, found)
        probe.verify()
    with Image.open(io.BytesIO(content), formats=[_PILLOW_FORMAT[found]]) as picture:
        # JPEG can be decoded at a fraction of its size, which saves the memory of the rest.
        picture.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
        made = io.BytesIO()
        _on_white(upright).save(
            made, "JPEG", quality=_JPEG_QUALITY, optimize=True, progressive=True
        )
        return made.getvalue()


def _scans_in(content: bytes) -> int:
    """How often decoding this JPEG goes over the picture. A few bytes are enough for one scan."""
    position, scans = 2, 0
    while scans <= _JPEG_SCANS and (found := _JPEG_MARKER.search(content, position)):
        code, position = found.group()[1], found.end()
        if code == _JPEG_END:
            break
        scans += code == _JPEG_SCAN
        if code not in _JPEG_MARKERS_ALONE:
            position += int.from_bytes(content[position : position + 2])
    return scans


def _require_modest(picture: Image.Image, found: str) -> None:
    width, height = picture.size
    if width * height > _PIXELS[found]:
        raise ImageTooLarge(
            f"At most {_PIXELS[found] // 1_000_000} million pixels are accepted; "
            f"this image has {width} x {height}."
        )


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    with_alpha = picture.convert("RGBA")
    white = Image.new("RGB", with_alpha.size, "white")
    white.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return white


def _require_whole_pdf(content: bytes) -> None:
    """From its header on the first byte to its end mark, and nothing behind that.

    It is never opened here, and browsers get it in a sandbox: this keeps out cut-off uploads and
    files that are a PDF and something else (an archive, a page) at once.
    """
    before, mark, behind = content.rpartition(b"%%EOF")
    if not mark or behind.strip(b"\r\n\t \x00"):
        raise FileUnreadable("The PDF is cut off, or something follows its end.")
    if b"startxref" not in before[-2048:]:
        raise FileUnreadable("The PDF has no table of contents.")
