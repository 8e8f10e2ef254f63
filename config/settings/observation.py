"""Logs and error tracking."""

from config.settings.environment import read

LOG_LEVEL = read("str", "LOG_LEVEL", "INFO").upper()
LOG_FORMAT = read("str", "LOG_FORMAT", "console")
LOGGING_CONFIG = None

SENTRY_DSN = read("str", "SENTRY_DSN", "")

# The field history keeps values as JSON values, not as their Python texts.
AUDITLOG_STORE_JSON_CHANGES = True
