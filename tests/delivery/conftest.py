from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def templates(settings: Any) -> None:
    """The templates of these tests stand beside those of the apps."""
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [Path(__file__).parent / "templates"]}]
