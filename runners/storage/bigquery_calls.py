"""Calls of the BigQuery client: bounded in time, and failing with an error of ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from requests.exceptions import RequestException

from anomaly.errors import OutputError
from runners.storage.bigquery_sql import published_days

# One answer, the same call repeated until there is one, and the end of a query.
ANSWER_SECONDS, RETRY_SECONDS, QUERY_SECONDS = 30, 120, 1800
RETRY = bigquery.DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
CALL_ERRORS = (GoogleAPIError, GoogleAuthError, RequestException, TimeoutError)
# How long a call and the end of a query are waited for.
CALL = {"retry": RETRY, "timeout": ANSWER_SECONDS}
END = {"retry": RETRY, "timeout": QUERY_SECONDS}


def client_of(project: str) -> bigquery.Client:
    """A client with the credentials that this machine has.

    An emulator that BIGQUERY_EMULATOR_HOST names is given none. Raises OutputError where there are
    no credentials.
    """
    emulated = os.environ.get("BIGQUERY_EMULATOR_HOST")
    with calling(project):
        return bigquery.Client(project, AnonymousCredentials() if emulated else None)


@contextmanager
def calling(subject: str) -> Iterator[None]:
    """Turns a failed call about a table, a dataset or a project into an OutputError."""
    try:
        yield
    except CALL_ERRORS as error:
        told = str(error).splitlines() or [type(error).__name__]
        raise OutputError(f"{subject}: {told[0]}") from error


def run_once(
    client: bigquery.Client, sql: str, job_id: str, config: bigquery.QueryJobConfig, location: str
) -> None:
    """Run a script that must not run twice, and raise what made it fail.

    Sent again after a lost answer it is the same job, of which there is one. Whatever is lost
    before its end is known: the job itself says how it ended.
    """
    try:
        job = client.query(sql, config, job_id=job_id, location=location, job_retry=None, **CALL)
        job.result(**END)
    except CALL_ERRORS as error:
        try:
            sent = client.get_job(job_id, location=location, **CALL)
        except NotFound:
            raise error from None
        sent.result(**END)


def try_query(client: bigquery.Client, location: str) -> None:
    """A query that is only checked: shows whether this account may run any."""
    config = bigquery.QueryJobConfig(dry_run=True)
    client.query("SELECT 1 AS one", config, location=location, job_retry=None, **CALL)


def days_of_table(client: bigquery.Client, table: str) -> list[date]:
    """The days of a table, in order; none where it is not there."""
    with calling(table):
        try:
            location = client.get_table(table, **CALL).location
        except NotFound:
            return []
        return sorted(day for (day,) in rows_of(client, published_days(table), location))


def rows_of(client: bigquery.Client, sql: str, location: str) -> list[tuple[Any, ...]]:
    """The rows that a query gives; they are few."""
    job = client.query(sql, location=location, job_retry=None, **CALL)
    return [tuple(row.values()) for row in job.result(**END)]
