"""Calls of Google's clients: endpoints, retries and errors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import (
    DeadlineExceeded,
    GoogleAPIError,
    InternalServerError,
    ResourceExhausted,
    ServiceUnavailable,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud import dataproc_v1
from google.cloud.dataproc_v1.services.batch_controller.transports import (
    BatchControllerGrpcTransport,
)
from google.cloud.dataproc_v1.services.cluster_controller.transports import (
    ClusterControllerGrpcTransport,
)
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.exceptions import RequestException

from anomaly.errors import BatchError

EMULATOR = "DATAPROC_EMULATOR_HOST"
# How long a call that is safe to repeat is retried. Calls that create something have a request id.
RETRY = Retry(
    predicate=if_exception_type(ServiceUnavailable, DeadlineExceeded, InternalServerError),
    initial=0.5,
    maximum=10,
    timeout=120,
)
CALL_ERRORS = (
    GoogleAPIError,
    GoogleAuthError,
    RequestException,
    DataCorruption,
    InvalidResponse,
    OSError,  # a TimeoutError too
)
CALL = {"timeout": 60}
RETRIED_CALL = {"retry": RETRY, "timeout": 60}
# A quota on polling says nothing about the batch.
POLL = {
    "retry": RETRY.with_predicate(
        if_exception_type(
            ServiceUnavailable, DeadlineExceeded, InternalServerError, ResourceExhausted
        )
    ),
    "timeout": 60,
}


def batch_client(region: str) -> dataproc_v1.BatchControllerClient:
    """A client of the region's batches, or of an emulator that DATAPROC_EMULATOR_HOST names."""
    return _client(dataproc_v1.BatchControllerClient, BatchControllerGrpcTransport, region)


def cluster_client(region: str) -> dataproc_v1.ClusterControllerClient:
    """The same for clusters."""
    return _client(dataproc_v1.ClusterControllerClient, ClusterControllerGrpcTransport, region)


@contextmanager
def calling(subject: str) -> Iterator[None]:
    """Turn a failed call into a BatchError that names the subject and says what to do."""
    try:
        yield
    except ResourceExhausted as error:
        raise BatchError(
            f"{subject}: {_first_line(error)}; lower maximum_executors, or ask for more quota"
        ) from error
    except CALL_ERRORS as error:
        raise BatchError(f"{subject}: {_first_line(error)}") from error


def client_at(client: Any, transport: Any, host: str, emulator: str) -> Any:
    """A client of a host, or of an emulator that the environment variable names."""
    if address := os.environ.get(emulator):
        return client(transport=transport(channel=grpc.insecure_channel(address)))
    return client(client_options=ClientOptions(api_endpoint=f"{host}:443"))


def _client(client: Any, transport: Any, region: str) -> Any:
    with calling(f"Dataproc in {region}"):
        return client_at(client, transport, f"{region}-dataproc.googleapis.com", EMULATOR)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
