"""Batches: started once, followed to their end, stopped when asked to."""

import sys
import time
import uuid
from datetime import timedelta
from urllib.parse import quote

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, NotFound
from google.cloud import dataproc_v1

from anomaly.errors import BatchCancelled, BatchError, BatchTimedOut
from runners.dataproc.calls import CALL, POLL, RETRIED_CALL, calling
from runners.dataproc.request import SUBMISSION
from runners.dataproc.settings import DataprocSettings

State = dataproc_v1.Batch.State
UNDER_WAY = (State.STATE_UNSPECIFIED, State.PENDING, State.RUNNING)
ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
# A batch may wait for machines before its ttl begins.
PATIENCE = timedelta(minutes=30)


def start(
    client: dataproc_v1.BatchControllerClient,
    settings: DataprocSettings,
    batch: dataproc_v1.Batch,
    batch_id: str,
) -> dataproc_v1.Batch:
    """Create a batch, or attach to the one of the same run that is under way.

    Raises BatchError where there is one that has ended: it is not run again unasked.
    """
    request = dataproc_v1.CreateBatchRequest(
        parent=settings.location,
        batch=batch,
        batch_id=batch_id,
        # Sent again after a lost answer, it is the same request.
        request_id=str(uuid.uuid5(uuid.NAMESPACE_URL, batch.labels[SUBMISSION])),
    )
    with calling(f"batch {batch_id}: its start was not confirmed"):
        try:
            client.create_batch(request, **RETRIED_CALL)
        except AlreadyExists:
            _tell(f"{batch_id} is there already")
    existing = find(client, settings, batch_id)
    is_ours = existing.labels[SUBMISSION] == batch.labels[SUBMISSION]
    if existing.state not in UNDER_WAY and not is_ours:
        raise BatchError(
            f"batch {batch_id} of the same run is there already and {existing.state.name}; "
            "--rerun N makes a new one"
        )
    return existing


def follow(
    client: dataproc_v1.BatchControllerClient, batch: dataproc_v1.Batch, poll_seconds: float
) -> None:
    """Wait until a batch succeeds, and tell its states; Ctrl-C asks it to stop.

    Polls the batch: the client's own wait for an operation ends after 900 s, while the batch goes
    on. Raises BatchError, BatchCancelled or BatchTimedOut.
    """
    ttl = batch.environment_config.execution_config.ttl
    deadline = time.monotonic() + (ttl + PATIENCE).total_seconds()
    told = None
    try:
        while batch.state not in ENDED:
            if batch.state != told:
                told = batch.state
                _tell(f"{_id_of(batch)} {told.name}")
            if time.monotonic() > deadline:
                stop(client, batch)
                raise BatchTimedOut(f"batch {_id_of(batch)} outlived its ttl; asked it to stop")
            time.sleep(poll_seconds)
            with calling(f"batch {_id_of(batch)}: cannot be followed, and may go on"):
                batch = client.get_batch(name=batch.name, **POLL)
    except KeyboardInterrupt:
        stop(client, batch)
        raise BatchCancelled(f"batch {_id_of(batch)}: interrupted; asked it to stop") from None
    _tell(f"{_id_of(batch)} {batch.state.name}")
    _judge(batch, ttl)


def stop(client: dataproc_v1.BatchControllerClient, batch: dataproc_v1.Batch) -> None:
    """Ask a batch to stop; it ends as CANCELLED a little later."""
    with calling(f"batch {_id_of(batch)}: cannot be stopped"):
        try:
            client.transport.operations_client.cancel_operation(batch.operation, **CALL)
        except (FailedPrecondition, NotFound):
            _tell(f"{_id_of(batch)} has ended by itself")


def find(
    client: dataproc_v1.BatchControllerClient, settings: DataprocSettings, batch_id: str
) -> dataproc_v1.Batch:
    """A batch by its id. Raises BatchError where there is none."""
    with calling(f"batch {batch_id}"):
        return client.get_batch(name=f"{settings.location}/batches/{batch_id}", **RETRIED_CALL)


def description(batch: dataproc_v1.Batch) -> str:
    """State of a batch and where its logs and its Spark history are, a line each."""
    project, region = batch.name.split("/")[1], batch.name.split("/")[3]
    console = "https://console.cloud.google.com"
    found_by = f'resource.type="cloud_dataproc_batch" resource.labels.batch_id="{_id_of(batch)}"'
    query = quote(found_by, safe="")
    lines = [
        f"batch    {_id_of(batch)}",
        f"state    {batch.state.name} {batch.state_message}".rstrip(),
    ]
    lines += [
        f"console  {console}/dataproc/batches/{region}/{_id_of(batch)}/summary?project={project}",
        f"logs     {console}/logs/query;query={query}?project={project}",
    ]
    if batch.runtime_info.output_uri:
        lines.append(f"output   {batch.runtime_info.output_uri}")
    lines += [f"history  {url}" for url in batch.runtime_info.endpoints.values()]
    return "\n".join(lines)


def _judge(batch: dataproc_v1.Batch, ttl: timedelta) -> None:
    """Whatever ended otherwise than SUCCEEDED is a failure."""
    told = f"batch {_id_of(batch)} {batch.state.name}: {batch.state_message}"
    if batch.state == State.FAILED:
        raise BatchError(told)
    if batch.state == State.CANCELLED:
        lived = batch.state_time - batch.create_time
        if ttl and (lived >= ttl or "ttl" in batch.state_message.lower()):
            raise BatchTimedOut(f"{told}; its ttl of {ttl} was over")
        raise BatchCancelled(told)


def _id_of(batch: dataproc_v1.Batch) -> str:
    return str(batch.name.rsplit("/", 1)[-1])


def _tell(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr)
