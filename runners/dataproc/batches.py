"""Starts batches, follows them to their end, and stops them."""

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
# A batch may wait for machines before its ttl starts.
TTL_GRACE = timedelta(minutes=30)


def start(
    client: dataproc_v1.BatchControllerClient,
    settings: DataprocSettings,
    batch: dataproc_v1.Batch,
    batch_id: str,
) -> dataproc_v1.Batch:
    """Create a batch, or attach to the running batch of the same run.

    Raises BatchError if the batch of the same run has ended: it is not repeated unless requested.
    """
    request = dataproc_v1.CreateBatchRequest(
        parent=settings.location,
        batch=batch,
        batch_id=batch_id,
        # After a lost response, the repeated request is the same one.
        request_id=str(uuid.uuid5(uuid.NAMESPACE_URL, batch.labels[SUBMISSION])),
    )
    with calling(f"batch {batch_id}: its start was not confirmed"):
        try:
            client.create_batch(request, **RETRIED_CALL)
        except AlreadyExists:
            _print(f"{batch_id} exists already")
    existing = find(client, settings, batch_id)
    is_ours = existing.labels[SUBMISSION] == batch.labels[SUBMISSION]
    if existing.state not in UNDER_WAY and not is_ours:
        raise BatchError(
            f"batch {batch_id} of the same run exists already and is {existing.state.name}; "
            "--rerun N starts a new one"
        )
    return existing


def follow(
    client: dataproc_v1.BatchControllerClient, batch: dataproc_v1.Batch, poll_seconds: float
) -> None:
    """Wait until a batch succeeds, and print its states; Ctrl-C asks it to stop.

    Polls the batch, because the client stops waiting for an operation after 900 s. Raises
    BatchError, BatchCancelled or BatchTimedOut.
    """
    ttl = batch.environment_config.execution_config.ttl
    deadline = time.monotonic() + (ttl + TTL_GRACE).total_seconds()
    printed = None
    try:
        while batch.state not in ENDED:
            if batch.state != printed:
                printed = batch.state
                _print(f"{_id_of(batch)} {printed.name}")
            if time.monotonic() > deadline:
                stop(client, batch)
                raise BatchTimedOut(f"batch {_id_of(batch)} exceeded its ttl; asked it to stop")
            time.sleep(poll_seconds)
            with calling(f"batch {_id_of(batch)}: cannot be followed, but may still be running"):
                batch = client.get_batch(name=batch.name, **POLL)
    except KeyboardInterrupt:
        stop(client, batch)
        raise BatchCancelled(f"batch {_id_of(batch)}: interrupted; asked it to stop") from None
    _print(f"{_id_of(batch)} {batch.state.name}")
    _check_success(batch, ttl)


def stop(client: dataproc_v1.BatchControllerClient, batch: dataproc_v1.Batch) -> None:
    """Ask a batch to stop; it becomes CANCELLED a little later."""
    with calling(f"batch {_id_of(batch)}: cannot be stopped"):
        try:
            client.transport.operations_client.cancel_operation(batch.operation, **CALL)
        except (FailedPrecondition, NotFound):
            _print(f"{_id_of(batch)} had already ended")


def find(
    client: dataproc_v1.BatchControllerClient, settings: DataprocSettings, batch_id: str
) -> dataproc_v1.Batch:
    """A batch by its id. Raises BatchError if it does not exist."""
    with calling(f"batch {batch_id}"):
        return client.get_batch(name=f"{settings.location}/batches/{batch_id}", **RETRIED_CALL)


def description(batch: dataproc_v1.Batch) -> str:
    """The state of a batch, and links to its logs and Spark history, one per line."""
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


def _check_success(batch: dataproc_v1.Batch, ttl: timedelta) -> None:
    """Raises BatchError, BatchTimedOut or BatchCancelled unless the batch succeeded."""
    ending = f"batch {_id_of(batch)} {batch.state.name}: {batch.state_message}"
    if batch.state == State.FAILED:
        raise BatchError(ending)
    if batch.state == State.CANCELLED:
        lived = batch.state_time - batch.create_time
        if ttl and (lived >= ttl or "ttl" in batch.state_message.lower()):
            raise BatchTimedOut(f"{ending}; its ttl was {ttl}")
        raise BatchCancelled(ending)


def _id_of(batch: dataproc_v1.Batch) -> str:
    return str(batch.name.rsplit("/", 1)[-1])


def _print(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr)
