"""The key for hashing customer numbers: from the environment, or from Secret Manager."""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING

from anomaly.errors import ConfigurationError
from runners.services.extras import installing
from runners.storage.bigquery_names import PROJECT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

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
    """The key in CELL_TOWER_HASH_KEY, or the key in the secret that the variable names.

    `given` replaces that variable. Raises ConfigurationError, which never shows the key.
    """
    given = os.environ.get(VARIABLE, "") if given is None else given
    if not given:
        raise _problem(f"is not set; set it to the key, or to {SECRET_FORM}")
    # A text that begins like a name is meant as one; as a key it would be known to everybody.
    if not given.startswith("projects/"):
        key = os.fsencode(given)
    elif SECRET.fullmatch(given):
        key = _secret(given, secret_manager)
    else:
        raise _problem(f"does not name a secret; write {SECRET_FORM}")
    if len(key) < LEAST_BYTES:
        raise _problem(f"holds a key of fewer than {LEAST_BYTES} bytes; use a longer one")
    return key


def secret_name() -> str:
    """The name of the secret in CELL_TOWER_HASH_KEY, for another machine that will read it.

    Raises ConfigurationError if the variable is not set, or holds a key.
    """
    given = os.environ.get(VARIABLE, "")
    if not SECRET.fullmatch(given):
        raise _problem(
            f"must name a secret of Secret Manager for a batch, {SECRET_FORM}: a key would be "
            "visible to everybody who can see the batch"
        )
    return given


def key_frame(spark: SparkSession, key: bytes | None) -> DataFrame | None:
    """The key as `detect` takes it; None without one."""
    # To deploy, only names of secrets are needed, and no PySpark.
    from anomaly.pipeline.pseudonyms import KEY_BLOCKS, key_blocks

    return None if key is None else spark.createDataFrame([key_blocks(key)], KEY_BLOCKS)


def _secret(name: str, address: str) -> bytes:
    """The content of a version of a secret. Raises ConfigurationError if it cannot be read."""
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import AuthorizedSession
    except ImportError as error:
        raise _problem(f"names a secret, which needs google-auth: {installing('gcp')}") from error
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        answer = AuthorizedSession(credentials).get(
            f"{address}/v1/{name}:access", timeout=TIMEOUT_SECONDS
        )
        if answer.status_code == 200:
            return base64.b64decode(answer.json()["payload"]["data"], validate=True)
        why = f"HTTP {answer.status_code}"
    # Not the message of the error, which may contain the key. Errors of requests are OSErrors.
    except (GoogleAuthError, OSError, ValueError, KeyError, TypeError) as error:
        why = type(error).__name__
    raise _problem(
        f"names {name}, which cannot be read ({why}); check that it exists, and that the account "
        "has the role Secret Manager Secret Accessor on it"
    )


def _problem(words: str) -> ConfigurationError:
    return ConfigurationError("--hash-customers", [f"the environment variable {VARIABLE} {words}"])
