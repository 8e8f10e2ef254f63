import hashlib
import io
import os
import time
from typing import Any
from urllib.request import url2pathname

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from PIL import Image

from shared_apps.audit.models import AuditEntry
from shared_apps.documents import checks, storage
from shared_apps.documents.errors import (
    FileEmpty,
    FileRefused,
    FileTooLarge,
    FileTypeRefused,
    FileUnreadable,
    ForeignPath,
    ImageTooLarge,
    StorageDown,
)
from shared_apps.documents.models import Document
from shared_apps.documents.selectors import content_of
from shared_apps.documents.services import store_bytes, store_document
from shared_apps.kernel.errors import NotFound
from tenants.context import platform_context, tenant_context
from tests.audit.news import PERSON, a_person
from tests.documents import files
from tests.documents.files import upload


def stored(file: Any, **options: Any) -> Document:
    return store_document(file=file, kind="payment_proof", actor=a_person(), **options)


def kept(document: Document) -> bytes:
    with content_of(document) as content:
        return content.read()


def refuses(error: type[FileRefused], file: Any, **options: Any) -> None:
    """The refusal, and that nothing of the file stays anywhere."""
    before = files_on_disk()
    with pytest.raises(error) as caught:
        stored(file, **options)
    assert caught.value.status == 400
    assert caught.value.errors[0].pointer == "/file"
    assert not Document.objects.filter(kind="payment_proof").exists()
    assert files_on_disk() == before


def files_on_disk() -> set[str]:
    root = url2pathname(settings.STORAGE_URL.removeprefix("file://"))
    return {os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names}


@pytest.mark.parametrize(
    ("kind", "name", "declared"),
    [
        ("JPEG", "proof.jpg", "image/jpeg"),
        ("PNG", "proof.png", "image/png"),
        ("WEBP", "proof.webp", "image/webp"),
        ("PNG", "sent by a phone.jpg", "image/jpeg"),
        ("JPEG", "without an ending", "application/octet-stream"),
    ],
)
def test_keeps_pictures_as_fresh_jpeg(tenant: Any, kind: str, name: str, declared: str) -> None:
    document = stored(upload(files.picture(kind=kind), name, declared))

    content = kept(document)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("JPEG", (64, 48))
    assert document.content_type == "image/jpeg"
    assert document.file_name == f"{name.rsplit('.', 1)[0]}.jpg"
    assert document.size == len(content)
    assert document.sha256 == hashlib.sha256(content).hexdigest()
    assert document.created_by_id == PERSON


def test_keeps_a_pdf_as_it_is(tenant: Any) -> None:
    document = stored(upload(files.PDF, "receipt.pdf", "application/pdf"))
    assert kept(document) == files.PDF
    assert document.content_type == "application/pdf"


def test_makes_big_pictures_smaller(tenant: Any) -> None:
    big = files.picture(size=(4000, 3000), quality=95)
    document = stored(upload(big))
    with Image.open(io.BytesIO(kept(document))) as image:
        assert image.size == (2400, 1800)
    assert document.size < len(big) / 2


def test_leaves_place_and_device_behind_and_turns_the_picture_upright(tenant: Any) -> None:
    content = kept(stored(upload(files.picture_from_a_phone())))
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (40, 80)
        assert not image.getexif()
    assert b"SECRETPHONE" not in content


def test_puts_transparent_pictures_on_white(tenant: Any) -> None:
    made = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(made, "PNG")
    with Image.open(io.BytesIO(kept(stored(upload(made.getvalue(), "a.png", "image/png"))))) as it:
        assert it.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "I;16", "CMYK"])
def test_takes_every_colour_mode(tenant: Any, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    if mode == "I;16":
        made = io.BytesIO()
        Image.new("I;16", (8, 8), 40000).save(made, "PNG")
        content = made.getvalue()
    else:
        content = files.picture(kind=kind, mode=mode)
    assert stored(upload(content, f"a.{kind.lower()}", f"image/{kind.lower()}")).size > 0


def test_records_the_upload_without_the_name_of_the_file(tenant: Any) -> None:
    document = stored(upload(files.PDF, "asha-salary.pdf", "application/pdf"))
    entry = AuditEntry.objects.get(event_name="documents.document_stored")
    assert (entry.subject_id, entry.actor_user_id) == (document.pk, PERSON)
    assert entry.payload["sha256"] == document.sha256
    assert "asha" not in str(entry.payload)


@pytest.mark.parametrize(
    ("content", "name", "declared"),
    [
        (files.SVG, "drawing.svg", "image/svg+xml"),
        (files.SVG, "drawing.jpg", "image/jpeg"),
        (files.HTML, "page.html", "text/html"),
        (files.HTML, "page.pdf", "application/pdf"),
        (b"GIF89a" + b"\x00" * 40, "a.gif", "image/gif"),
        (b"PK\x03\x04" + b"\x00" * 40, "a.zip", "application/zip"),
        (b"MZ" + b"\x00" * 40, "a.exe", "application/octet-stream"),
        (b" " + files.PDF, "a.pdf", "application/pdf"),
    ],
)
def test_refuses_types_that_are_not_allowed_whatever_they_call_themselves(
    tenant: Any, content: bytes, name: str, declared: str
) -> None:
    refuses(FileTypeRefused, upload(content, name, declared))


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("page.html", "image/jpeg"),
        ("page.svg", "image/jpeg"),
        ("run.exe", "application/octet-stream"),
        ("a.pdf", "image/jpeg"),
        ("photo.jpg.html", "image/jpeg"),
        ("a.jpg", "text/html"),
        ("a.jpg", "application/pdf"),
    ],
)
def test_refuses_a_picture_that_is_called_something_else(
    tenant: Any, name: str, declared: str
) -> None:
    refuses(FileTypeRefused, upload(files.picture(), name, declared))


def test_refuses_allowed_types_where_only_others_are(tenant: Any) -> None:
    refuses(FileTypeRefused, upload(files.picture()), allowed=checks.PDF)
    refuses(FileTypeRefused, upload(files.PDF, "a.pdf", "application/pdf"), allowed=checks.IMAGES)


def test_refuses_more_bytes_than_allowed_and_reads_no_further(tenant: Any) -> None:
    class Endless(io.RawIOBase):
        name, content_type, read_so_far = "a.jpg", "image/jpeg", 0

        def seek(self, *_: Any) -> int:
            return 0

        def read(self, count: int = -1) -> bytes:
            assert count > 0
            self.read_so_far += count
            return b"\xff\xd8\xff" + b"\x00" * (count - 3)

    endless = Endless()
    refuses(FileTooLarge, endless, max_bytes=1_000_000)
    assert endless.read_so_far == 1_000_001


def test_takes_exactly_as_many_bytes_as_allowed(tenant: Any) -> None:
    pdf = upload(files.PDF, "a.pdf", "application/pdf")
    assert stored(pdf, max_bytes=len(files.PDF)).size == len(files.PDF)


def test_refuses_an_empty_file(tenant: Any) -> None:
    refuses(FileEmpty, upload(b""))


@pytest.mark.parametrize(
    "size", [(6_000, 6_000), (30_000, 30_000), (2**31 - 1, 1), (65_000, 65_000)]
)
def test_refuses_a_small_file_that_would_unpack_into_a_huge_picture(
    tenant: Any, size: tuple[int, int]
) -> None:
    bomb = files.png_that_claims(*size)
    assert len(bomb) < 1000
    refuses(ImageTooLarge, upload(bomb, "a.png", "image/png"))


def test_refuses_a_comment_that_unpacks_into_many_megabytes(tenant: Any) -> None:
    bomb = files.png_with_a_text_bomb(64)
    assert len(bomb) < 200_000
    refuses(FileUnreadable, upload(bomb, "a.png", "image/png"))


def test_refuses_a_small_picture_that_would_take_hours_to_decode(tenant: Any) -> None:
    bomb = files.jpeg_with_scans(3000)
    assert len(bomb) < 500_000
    begun = time.monotonic()
    refuses(FileUnreadable, upload(bomb))
    assert time.monotonic() - begun < 2


def test_takes_progressive_pictures(tenant: Any) -> None:
    assert stored(upload(files.jpeg_with_scans(0))).size > 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_refuses_pictures_that_are_cut_off(tenant: Any, kind: str) -> None:
    whole = files.picture(kind=kind, size=(600, 400))
    refuses(
        FileUnreadable,
        upload(whole[: len(whole) // 2], f"a.{kind.lower()}", f"image/{kind.lower()}"),
    )


@pytest.mark.parametrize(
    "head", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP"]
)
def test_refuses_what_only_begins_like_a_picture(tenant: Any, head: bytes) -> None:
    refuses(FileUnreadable, upload(head + files.HTML, "a.png", "image/png"))


def test_a_picture_that_is_also_a_page_is_kept_as_a_picture_only(tenant: Any) -> None:
    content = kept(stored(upload(files.picture() + files.HTML + b"PK\x03\x04")))
    assert b"script" not in content
    assert b"PK\x03\x04" not in content


@pytest.mark.parametrize(
    "content",
    [
        files.PDF + files.HTML,
        files.PDF + b"PK\x03\x04 an archive",
        files.PDF[:-8],
        b"%PDF-1.7\n" + files.HTML,
        b"%PDF-1.7\n" + b"x" * 5000 + b"%%EOF",
    ],
)
def test_refuses_a_pdf_that_is_cut_off_or_something_else_too(tenant: Any, content: bytes) -> None:
    refuses(FileUnreadable, upload(content, "a.pdf", "application/pdf"))


@pytest.mark.parametrize(
    ("sent", "becomes"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("..\\..\\windows\\evil.jpg", "evil.jpg"),
        ("/etc/cron.d/x.jpg", "x.jpg"),
        ('a"; filename="evil.html.jpg', "a filename=evil.html.jpg"),
        ("a\r\nSet-Cookie: x=1.jpg", "aSet-Cookie x=1.jpg"),
        ("\u202egpj.exe.jpg", "gpj.exe.jpg"),
        ("nul\x00.jpg", "nul.jpg"),
        ("...", "file.jpg"),
        ("", "file.jpg"),
        ("Ngũgĩ - Quittung №1.jpg", "Ngũgĩ - Quittung №1.jpg"),
        ("a" * 500 + ".jpg", "a" * 120 + ".jpg"),
    ],
)
def test_keeps_only_the_harmless_part_of_a_name(sent: str, becomes: str) -> None:
    assert checks.safe_name(sent, extension="jpg") == becomes


def test_no_part_of_a_path_comes_from_the_client(tenant: Any) -> None:
    document = stored(upload(files.picture(), "../../x.jpg"))
    text = document.pk.hex
    assert document.storage_path == f"{tenant.id}/{text[-2:]}/{text}.jpg"


def test_one_organization_cannot_open_the_path_of_another(
    organization: Any, neighbour: Any
) -> None:
    with tenant_context(organization):
        path = stored(upload(files.PDF, "a.pdf", "application/pdf")).storage_path
    with tenant_context(neighbour), pytest.raises(ForeignPath):
        storage.open_for_reading(path)
    with platform_context(reason="test"), pytest.raises(ForeignPath):
        storage.open_for_reading(path)
    with tenant_context(neighbour), pytest.raises(ForeignPath):
        storage.open_for_reading(f"{neighbour.id}/../{path}")


def test_stores_what_we_made_ourselves(tenant: Any) -> None:
    document = store_bytes(
        content=files.PDF,
        file_name="INV-2026-0001",
        content_type="application/pdf",
        kind="invoice",
        actor=a_person(),
    )
    assert (document.file_name, kept(document)) == ("INV-2026-0001.pdf", files.PDF)


def test_says_so_when_the_storage_does_not_take_it(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str, content: bytes) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(storage, "write", fail)
    with pytest.raises(StorageDown):
        stored(upload(files.picture()))
    assert not Document.objects.filter(kind="payment_proof").exists()


def test_a_file_that_the_storage_has_lost_is_not_found(tenant: Any) -> None:
    document = stored(upload(files.picture()))
    for path in files_on_disk():
        if document.pk.hex in path:
            os.remove(path)
    with pytest.raises(NotFound):
        content_of(document)


def test_a_path_is_written_once(tenant: Any) -> None:
    document = stored(upload(files.picture()))
    with pytest.raises(FileExistsError):
        storage.write(document.storage_path, b"other")


def test_rows_cannot_be_changed(tenant: Any) -> None:
    document = stored(upload(files.picture()))
    with pytest.raises(DatabaseError), transaction.atomic():
        Document.objects.filter(pk=document.pk).update(storage_path="elsewhere")


def test_files_are_readable_by_the_product_only(tenant: Any) -> None:
    document = stored(upload(files.picture()))
    (path,) = [each for each in files_on_disk() if document.pk.hex in each]
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
