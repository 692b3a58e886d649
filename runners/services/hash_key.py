"""The key that customer numbers are hashed with: from the environment, or from Secret Manager."""

import base64
import os
import re

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import ConfigurationError
from anomaly.pipeline.pseudonyms import KEY_BLOCKS, key_blocks
from runners.storage.bigquery_names import PROJECT

VARIABLE = "CELL_TOWER_HASH_KEY"
LEAST_BYTES = 16
# https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
SECRET_MANAGER = "https://secretmanager.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
SECRET_FORM = "projects/PROJECT/secrets/NAME/versions/VERSION"
SECRET = re.compile(
    rf"projects/(?:{PROJECT.pattern}|[0-9]{{1,20}})"
    r"/secrets/[A-Za-z0-9_-]{1,255}/versions/[A-Za-z0-9_-]{1,63}"
)
TIMEOUT_SECONDS = 60


def hash_key(given: str | None = None, secret_manager: str = SECRET_MANAGER) -> bytes:
    """The key that is given, or that of the secret that is named: by CELL_TOWER_HASH_KEY.

    `given` stands in for that variable. Raises ConfigurationError that says what is missing, and
    never shows what is there.
    """
    given = os.environ.get(VARIABLE, "") if given is None else given
    if not given:
        raise _fault(f"is not set; give it the key, or {SECRET_FORM}")
    # What begins as a name is meant as one: as a key, everybody would know it.
    if not given.startswith("projects/"):
        key = os.fsencode(given)
    elif SECRET.fullmatch(given):
        key = _secret(given, secret_manager)
    else:
        raise _fault(f"names no secret; the form is {SECRET_FORM}")
    if len(key) < LEAST_BYTES:
        raise _fault(f"gives a key of less than {LEAST_BYTES} bytes; make a longer one")
    return key


def secret_name() -> str:
    """The name of the secret that CELL_TOWER_HASH_KEY names, for another machine to read it there.

    Raises ConfigurationError where the variable is not set, or has a key.
    """
    given = os.environ.get(VARIABLE, "")
    if not SECRET.fullmatch(given):
        raise _fault(
            f"has to name a secret of Secret Manager for a batch, {SECRET_FORM}: whoever may look "
            "at batches would see a key"
        )
    return given


def key_frame(spark: SparkSession, key: bytes | None) -> DataFrame | None:
    """The key as `detect` takes it; None without one."""
    return None if key is None else spark.createDataFrame([key_blocks(key)], KEY_BLOCKS)


def _secret(name: str, address: str) -> bytes:
    """What a version of a secret holds. Raises ConfigurationError where it cannot be read."""
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import AuthorizedSession
    except ImportError as error:
        raise _fault("names a secret, which needs google-auth; `make jars` installs it") from error
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        answer = AuthorizedSession(credentials).get(
            f"{address}/v1/{name}:access", timeout=TIMEOUT_SECONDS
        )
        if answer.status_code == 200:
            return base64.b64decode(answer.json()["payload"]["data"], validate=True)
        told = f"HTTP {answer.status_code}"
    # Not what the answer or the error says, which may have the key in it. Errors of requests are
    # of OSError.
    except (GoogleAuthError, OSError, ValueError, KeyError, TypeError) as error:
        told = type(error).__name__
    raise _fault(
        f"names {name}, which cannot be read ({told}); is it there, and has the account the role "
        "Secret Manager Secret Accessor on it?"
    )


def _fault(told: str) -> ConfigurationError:
    return ConfigurationError("--hash-customers", [f"the environment variable {VARIABLE} {told}"])
