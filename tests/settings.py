"""The product's settings, with hosts, files and keys of the tests' own."""

import os
import sys
import tempfile

for _name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY"):
    if not os.environ.get(_name):
        sys.exit(f"{_name} is not set: run the tests with ./scripts/test")
_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
_files = tempfile.TemporaryDirectory(prefix="kontor-tests-")
os.environ |= {
    "REDIS_PREFIX": f"test:{os.getpid()}:{_worker}",
    "STORAGE_URL": f"file://{_files.name}",
    "BASE_DOMAIN": "kontor.test",
    "PUBLIC_HOST": "kontor.test",
    "PUBLIC_SCHEME": "http",
    "PUBLIC_PORT": "",
    "EMAIL_URL": "memorymail://",
    # The folder that goes with the process: what a provider remembers is the test's own.
    "CHARGE_PROVIDER_URL": f"simulator://{_files.name}/charges?seed=7",
    "LOG_LEVEL": "WARNING",
}

from config.settings import *  # noqa: E402, F403  (the environment comes first)
