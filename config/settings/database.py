"""PostgreSQL: the app's login serves requests and tasks, the owner's changes structure."""

import os

from environ import Env

from config.settings.environment import read, stop

_LOGIN = os.environ.get("DATABASE_LOGIN", "app")
if _LOGIN not in {"app", "owner"}:
    stop("the setting DATABASE_LOGIN is neither app nor owner")

_url = read("str", "DATABASE_URL", meaning="the PostgreSQL address of the app's login")
_owner_url = read("str", "DATABASE_OWNER_URL", "") or _url

# With one login only, roles cannot be told apart: the search path still holds, the roles do not.
TENANT_ROLES = _owner_url != _url
DATABASE_IS_OWNER = _LOGIN == "owner"

_parsed = Env.db_url_config(_owner_url if DATABASE_IS_OWNER else _url)
if "postgres" not in str(_parsed.get("ENGINE", "")):
    stop("the setting DATABASE_URL is not a postgres:// address")
_app_login = Env.db_url_config(_url)["USER"]
DATABASE_APP_LOGIN = _app_login

# How long a statement may wait for a row that another transaction holds. Migrations wait longer.
LOCK_TIMEOUT_MILLISECONDS = read("int", "LOCK_TIMEOUT_MILLISECONDS", 5000)
_session = "" if DATABASE_IS_OWNER else f"-c lock_timeout={LOCK_TIMEOUT_MILLISECONDS}"

DATABASES = {
    "default": {
        **_parsed,
        "ENGINE": "tenants.database",
        "CONN_MAX_AGE": read("int", "DATABASE_CONNECTION_SECONDS", 600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_parsed.get("OPTIONS", {}),
            # Of `prepared_cursor` alone: what the ORM writes is bound by the client.
            "prepare_threshold": 2,
            "connect_timeout": read("int", "DATABASE_CONNECT_TIMEOUT", 5),
            "application_name": f"kontor {_LOGIN}",
            "options": " ".join(
                filter(None, [str(_parsed.get("OPTIONS", {}).get("options", "")), _session])
            ),
        },
        "TEST": {"MIGRATE": False},
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_LIMIT_SET_CALLS = True
