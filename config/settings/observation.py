"""Logs and error tracking."""

from config.settings.environment import read
from shared_apps.kernel.logging import logging_settings, report_without_secrets

LOG_LEVEL = read("str", "LOG_LEVEL", "INFO").upper()
# "json": one object a line, for log shipping; "text": for reading.
LOG_FORMAT = read("str", "LOG_FORMAT", "text")
LOGGING = logging_settings(level=LOG_LEVEL, as_json=LOG_FORMAT == "json")

SENTRY_DSN = read("str", "SENTRY_DSN", "")
if SENTRY_DSN:
    import sentry_sdk

    # Values of variables and bodies hold other people's secrets: only places and types leave.
    sentry_sdk.init(
        dsn=SENTRY_DSN,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=report_without_secrets,
        before_send_transaction=report_without_secrets,
    )

# The field history keeps values as JSON values, not as their Python texts.
AUDITLOG_STORE_JSON_CHANGES = True
