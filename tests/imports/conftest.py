from pathlib import Path
from typing import Any

import pytest

from shared_apps.accounts.models import User
from tests.imports.books import book, make_verifier


@pytest.fixture
def verifier(tenant: Any) -> User:
    return make_verifier()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return book(tmp_path / "book")
