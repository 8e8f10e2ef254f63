"""The one place that reads the environment. A wrong or missing value is one clear line at start."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()
_env_file = BASE_DIR / ".env"
if _env_file.is_file():
    environ.Env.read_env(_env_file)


def stop(message: str) -> NoReturn:
    sys.stderr.write(f"Kontor cannot start: {message}\n")
    raise SystemExit(78)  # EX_CONFIG of sysexits.h


def read(kind: str, name: str, default: Any = environ.Env.NOTSET, *, meaning: str = "") -> Any:
    """One variable, cast to `kind` (a method of environ.Env). An empty one counts as not given."""
    if default is not environ.Env.NOTSET and not os.environ.get(name, default):
        return default
    try:
        return getattr(env, kind)(name, default=default)
    except environ.ImproperlyConfigured:
        stop(f"the setting {name} is missing{': ' + meaning if meaning else ''} (see .env.example)")
    except (ValueError, TypeError, SyntaxError):
        stop(f"the setting {name} has a value that is not a {kind} (see .env.example)")


STATE_DIR = Path(read("str", "STATE_DIR", str(BASE_DIR / ".state")))
SECRET_KEY = read("str", "SECRET_KEY", meaning="a random text of 50 characters or more")
if len(SECRET_KEY) < 32:
    stop("the setting SECRET_KEY is too short: 32 characters at least (see .env.example)")

DEBUG = read("bool", "DEBUG", False)
TRIAL_DATA = Path(read("str", "TRIAL_DATA", str(BASE_DIR.parent / "shared")))
