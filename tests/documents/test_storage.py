"""The three kinds of storage, the far ones against a small server that speaks their HTTP."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import cloudinary
import pytest

from shared_apps.documents import storage
from shared_apps.documents.errors import StorageMisconfigured
from shared_apps.documents.selectors import content_of
from shared_apps.documents.services import store_document
from tests.audit.news import a_person
from tests.documents import files
from tests.documents.files import upload


class FarStorage(ThreadingHTTPServer):
    """Keeps bytes by name, in memory, the way S3 and Cloudinary do."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.kept: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: FarStorage

    def log_message(self, *_: Any) -> None:
        pass

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            size, rest = body.split(b"\r\n", 1)
            return rest[: int(size.split(b";")[0], 16)]
        return body

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Sun, 01 Mar 2026 12:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        self.server.asked.append(self.path)
        self.server.kept[unquote(urlsplit(self.path).path)] = self._body()
        self._answer(200)

    def do_POST(self) -> None:
        """Cloudinary's upload: a form with the file and its name."""
        self.server.asked.append(self.path)
        kind = self.headers["Content-Type"]
        mark = b"--" + re.search("boundary=(.+)", kind).group(1).strip('"').encode()  # type: ignore[union-attr]
        fields = {}
        for part in self._body().split(mark)[1:-1]:
            head, _, value = part.partition(b"\r\n\r\n")
            name = re.search(rb'name="([^"]+)"', head).group(1).decode()  # type: ignore[union-attr]
            fields[name] = value.removesuffix(b"\r\n")
        assert fields["type"] == b"authenticated"
        self.server.kept[fields["public_id"].decode()] = fields["file"]
        self._answer(200, json.dumps({"public_id": fields["public_id"].decode()}).encode())

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        parts = urlsplit(self.path)
        names = parse_qs(parts.query).get("public_id") or [unquote(parts.path)]
        content = self.server.kept.get(names[0])
        self._answer(404 if content is None else 200, content or b"")


@pytest.fixture
def far() -> Iterator[FarStorage]:
    with FarStorage() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        storage.storage_for.cache_clear()
        yield server
        server.shutdown()
        thread.join()
        storage.storage_for.cache_clear()


def round_trip() -> tuple[Any, bytes]:
    pdf = upload(files.PDF, "a.pdf", "application/pdf")
    document = store_document(file=pdf, kind="payment_proof", actor=a_person())
    with content_of(document) as content:
        return document, content.read()


def test_s3_keeps_private_objects_under_the_organization(
    tenant: Any, far: FarStorage, settings: Any
) -> None:
    settings.STORAGE_URL = (
        f"s3://key:secret@bucket/kontor?region=eu-west-1&endpoint={far.address}&addressing=path"
    )
    document, content = round_trip()
    assert content == files.PDF
    assert list(far.kept) == [f"/bucket/kontor/{document.storage_path}"]
    assert document.storage_path.startswith(f"{tenant.id}/")


def test_cloudinary_keeps_authenticated_resources_under_the_organization(
    tenant: Any, far: FarStorage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudinary.config(), "upload_prefix", far.address, raising=False)
    settings.STORAGE_URL = "cloudinary://key:secret@cloud"
    document, content = round_trip()
    assert content == files.PDF
    assert list(far.kept) == [document.storage_path]
    assert all("secret" not in asked for asked in far.asked)
    assert "signature=" in far.asked[-1]
    assert "expires_at=" in far.asked[-1]


@pytest.mark.parametrize(
    "url", ["", "ftp://host/x", "s3:///prefix", "cloudinary://cloud", "/var/files"]
)
def test_a_wrong_address_is_said(url: str) -> None:
    with pytest.raises(StorageMisconfigured):
        storage.storage_for(url)


def test_a_folder_with_spaces_and_signs_works(tenant: Any, settings: Any, tmp_path: Any) -> None:
    folder = tmp_path / "a b#c%20d"
    settings.STORAGE_URL = folder.as_uri()
    document, content = round_trip()
    assert content == files.PDF
    assert (folder / document.storage_path).is_file()
