"""Static files, stored documents, mail."""

from urllib.parse import urlsplit

from environ import Env

from config.settings.applications import PUBLIC_SCHEME
from config.settings.environment import STATE_DIR, read, stop

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Where documents lie: file://, s3://bucket, cloudinary://key:secret@cloud
STORAGE_URL = read("str", "STORAGE_URL", (STATE_DIR / "files").absolute().as_uri())
if STORAGE_URL.partition("://")[0] not in {"file", "s3", "cloudinary"}:
    stop("the setting STORAGE_URL is none of file://, s3://, cloudinary:// (see .env.example)")
MEDIA_ROOT = STATE_DIR / "files"

_email_url = read("str", "EMAIL_URL", "")
if _email_url:
    _email = Env.email_url_config(_email_url)
    EMAIL_BACKEND = _email.pop("EMAIL_BACKEND")
    globals().update(_email)
else:
    EMAIL_BACKEND = "shared_apps.delivery.backends.FolderBackend"
    EMAIL_FILE_PATH = str(STATE_DIR / "mail")
# How short messages leave: https:// of a provider, or nothing: each one is a file.
SMS_SENDERS = {
    "folder": "shared_apps.delivery.sms.FolderSender",
    "https": "shared_apps.delivery.sms.HttpSender",
    "http": "shared_apps.delivery.sms.HttpSender",
}
SMS_URL = read("str", "SMS_URL", "")
SMS_KEY = read("str", "SMS_KEY", "")
SMS_FROM = read("str", "SMS_FROM", "Kontor")
SMS_FILE_PATH = str(STATE_DIR / "sms")
SMS_TIMEOUT = 10
# Where people come in over https, their codes must reach phones and not lie in a folder.
SMS_INTO_FOLDER = PUBLIC_SCHEME != "https"
if SMS_URL:
    _sms = urlsplit(SMS_URL)
    if _sms.scheme not in {"https", "http"} or not _sms.hostname or "@" in _sms.netloc:
        stop("the setting SMS_URL is no address of a provider (see .env.example)")
    if _sms.scheme == "http" and _sms.hostname not in {"127.0.0.1", "localhost", "::1"}:
        stop("the setting SMS_URL must begin with https:// (see .env.example)")
    if not SMS_KEY:
        stop("the setting SMS_KEY is missing: the bearer key of SMS_URL (see .env.example)")
# How long a mail server may take, in seconds.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = read("str", "DEFAULT_FROM_EMAIL", "Kontor <no-reply@localhost>")
SUPPORT_EMAIL = read("str", "SUPPORT_EMAIL", "support@localhost")
