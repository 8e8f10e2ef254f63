"""Static files, stored documents, mail."""

from environ import Env

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
# How long a mail server may take, in seconds.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = read("str", "DEFAULT_FROM_EMAIL", "Kontor <no-reply@localhost>")
SUPPORT_EMAIL = read("str", "SUPPORT_EMAIL", "support@localhost")
