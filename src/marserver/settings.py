"""Django settings: everything local or secret comes from the environment, every default is the safe one.

Importing this module makes no file unless MAR_ROOT is set; with it, only the secret key of that root.
"""

import os
from datetime import timedelta
from pathlib import Path

from marserver import environment

_root = environment.root_from_environment()

# Without MAR_ROOT the path below cannot be made by anyone, so nothing is ever written in a wrong place
MAR_ROOT: Path = _root or Path(os.devnull) / "MAR_ROOT-is-not-set"
MAR_CAMERA = os.environ.get("MAR_CAMERA") or "t80cam"
MAR_ENGINE = os.environ.get("MAR_ENGINE", "")
MAR_REFCAT = Path(os.environ["MAR_REFCAT"]) if os.environ.get("MAR_REFCAT") else None
MAR_JOBS = int(os.environ.get("MAR_JOBS") or 1)  # operations that run at once, over all workers
MAR_LEASE_S = int(os.environ.get("MAR_LEASE_S") or 30)  # how long a silent worker keeps its operation
MAR_ATTEMPTS = int(os.environ.get("MAR_ATTEMPTS") or 3)  # how often an operation may lose its worker
MAR_RETRIES = environment.whole("MAR_RETRIES", 3, 100)  # how often what may go well later is tried again
MAR_RETRY_S = environment.natural("MAR_RETRY_S", 600, 86400)  # the first wait before that; each doubles
MAR_CORS_ORIGINS = environment.words("MAR_CORS_ORIGINS")
MAR_CLIENT_DIR = os.environ.get("MAR_CLIENT_DIR", "").strip()  # a built browser client, served at /client/
MAR_ACCEL = environment.accel_prefix()  # where the web server before this one finds the data root

MAR_PROXIES = environment.whole("MAR_PROXIES", 0, 16)  # proxies of our own before this server
MAR_HTTPS = environment.yes("MAR_HTTPS")  # clients come by https only

MAR_QUERY_URL = environment.query_url()  # PostgreSQL: the login of rawQuery
MAR_QUERY_SECONDS = environment.natural("MAR_QUERY_SECONDS", 30, 3600)
MAR_QUERY_ROWS = environment.natural("MAR_QUERY_ROWS", 1_000_000, 10**9)
MAR_QUERY_BYTES = environment.natural("MAR_QUERY_BYTES", 256 * 1024 * 1024, 2**40)
MAR_QUERY_KEEP = environment.hours("MAR_QUERY_KEEP", 24)  # an answer is kept for so long
MAR_QUERY_AT_ONCE = environment.natural("MAR_QUERY_AT_ONCE", 4, 64)  # of all users; of one user 2

MAR_TOKEN_LIFETIME, MAR_TOKEN_MAXIMUM = environment.token_lifetimes()
MAR_LOGIN_FAILURES = 10  # of one account from one address
MAR_LOGIN_FAILURES_OF_ADDRESS = 100
MAR_LOGIN_FAILURES_OF_ACCOUNT = 100
MAR_LOGIN_WINDOW = timedelta(minutes=15)

SECRET_KEY = environment.secret_key(_root)
DEBUG = False
ALLOWED_HOSTS = environment.words("MAR_ALLOWED_HOSTS", environment.LOCAL_HOSTS)

DATABASES = {"default": environment.database(_root)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "marserver.accounts",
    "marserver.archive",
    "marserver.audit",
    "marserver.jobs",
    "marserver.sandbox",
    "marserver.api",
    "marserver.web",
]

MIDDLEWARE = [
    "marserver.api.cors.CorsMiddleware",
    "marserver.api.doors.EnvelopeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "marserver.web.static_files.StaticFilesMiddleware",
    "marserver.web.browsers.Sessions",
    "django.middleware.common.CommonMiddleware",
    "marserver.web.browsers.Csrf",
    "marserver.web.browsers.Logins",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "marserver.web.policy.ContentPolicyMiddleware",
]

ROOT_URLCONF = "marserver.urls"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = int(MAR_TOKEN_LIFETIME.total_seconds())
SESSION_SAVE_EVERY_REQUEST = False
# With MAR_HTTPS browsers send these cookies by https only
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MAR_HTTPS
# Only our own proxy is believed to know how the client came; it must set this header itself
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if MAR_PROXIES else None

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "mar": {"handlers": ["console"], "level": os.environ.get("MAR_LOG_LEVEL", "INFO")},
        "marserver": {"handlers": ["console"], "level": os.environ.get("MAR_LOG_LEVEL", "INFO")},
        "django": {"handlers": ["console"], "level": "WARNING"},
        # At DEBUG it would write down the values of every query
        "django.db.backends": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # 400s and 404s are the client's business
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}
