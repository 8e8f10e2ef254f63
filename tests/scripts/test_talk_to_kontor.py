"""The check's own tools: codes of the second factor, uploads, a receipt."""

import io

import pytest
from PIL import Image

from scripts.talking import multipart, receipt_image, totp

# RFC 6238, appendix B: the ASCII key 12345678901234567890 with SHA-1; the last six digits.
KEY = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(moment: int, code: str) -> None:
    assert totp(KEY, moment=moment) == code


def test_the_receipt_is_a_picture() -> None:
    with Image.open(io.BytesIO(receipt_image(side=16))) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.size == (16, 16)


def test_an_upload_is_one_field_called_file() -> None:
    body, content_type = multipart("a.png", b"bytes", "image/png")
    boundary = content_type.partition("boundary=")[2].encode()
    assert body.count(boundary) == 2
    assert b'name="file"; filename="a.png"' in body
    assert b"\r\n\r\nbytes\r\n--" in body
