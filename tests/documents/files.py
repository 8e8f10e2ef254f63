"""Files for the tests of documents: honest ones, and what attackers send."""

import io
import struct
import zlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nxref\n0 1\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


def picture(
    *, kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: Any
) -> bytes:
    made = io.BytesIO()
    Image.effect_noise(size, 40).convert(mode).save(made, kind, **options)
    return made.getvalue()


def picture_from_a_phone() -> bytes:
    """A JPEG that says where it was taken and is stored lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    exif[0x010F] = "SECRETPHONE"
    exif.get_ifd(0x8825)[1] = "N"
    made = io.BytesIO()
    Image.new("RGB", (80, 40), "red").save(made, "JPEG", exif=exif)
    return made.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A few hundred bytes that would decode into width x height pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 4096))
        + chunk(b"IEND", b"")
    )


def png_with_a_text_bomb(megabytes: int) -> bytes:
    """A tiny picture whose comment unpacks into many megabytes."""
    made = picture(kind="PNG", size=(4, 4))
    packed = b"Comment\x00\x00" + zlib.compress(b"A" * megabytes * 1024 * 1024, 9)
    body = b"zTXt" + packed
    bomb = struct.pack(">I", len(packed)) + body + struct.pack(">I", zlib.crc32(body))
    return made[:33] + bomb + made[33:]


def jpeg_with_scans(count: int) -> bytes:
    """A big progressive picture whose last scan, of some sixty bytes, is repeated."""
    made = io.BytesIO()
    Image.new("RGB", (6000, 6000), "red").save(made, "JPEG", progressive=True, quality=5)
    content = made.getvalue()
    last = content[content.rfind(b"\xff\xda") : -2]
    return content[:-2] + last * count + content[-2:]


def upload(content: bytes, name: str = "proof.jpg", kind: str = "image/jpeg") -> Any:
    return SimpleUploadedFile(name, content, content_type=kind)
