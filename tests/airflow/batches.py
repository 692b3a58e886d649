"""What a test sees and does of batches from elsewhere, as with the console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.cloud.dataproc_v1 import Batch, BatchControllerClient
from google.longrunning.operations_pb2 import CancelOperationRequest

from tests.airflow.harness import Run
from tests.doubles.dataproc_fake import DataprocFake

TIMEOUT_SECONDS = 60.0


@contextmanager
def client_of(dataproc: DataprocFake, certificate_file: Path) -> Iterator[BatchControllerClient]:
    """A client from elsewhere, as that of the console."""
    credentials = grpc.ssl_channel_credentials(certificate_file.read_bytes())
    with grpc.secure_channel(dataproc.address, credentials) as channel:
        transport = BatchControllerClient.get_transport_class("grpc")(channel=channel)
        yield BatchControllerClient(transport=transport)


def cancel_when_running(
    dataproc: DataprocFake, certificate_file: Path, batch_id: str | None = None
) -> None:
    """Cancel a batch from elsewhere, as one does in the console."""
    batch = dataproc.wait_for(batch_id, Batch.State.RUNNING, timeout=TIMEOUT_SECONDS)
    with client_of(dataproc, certificate_file) as client:
        client.cancel_operation(CancelOperationRequest(name=batch.operation))


def created(dataproc: DataprocFake) -> list[Any]:
    """The requests for new batches."""
    return [call.request for call in dataproc.requests if call.method == "CreateBatch"]


def states(run: Run) -> dict[str, str]:
    """How each task ended."""
    return {name: task.state for name, task in run.tasks.items()}
