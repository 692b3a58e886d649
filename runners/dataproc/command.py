"""The commands `submit`, `status`, `logs` and `cancel`."""

import argparse
import json
import uuid
from collections.abc import Iterable
from typing import Any

from anomaly.errors import ConfigurationError
from anomaly.profile.files import whole_text
from anomaly.profile.reader import load_profile
from runners.dataproc.names import batch_id
from runners.dataproc.settings import DataprocSettings, load_settings
from runners.services.arguments import add_arguments, destination_in, inputs_of
from runners.services.extras import missing
from runners.services.hash_key import secret_name

POLL_SECONDS = 10.0
CLIENTS = ("google.cloud.bigquery", "google.cloud.dataproc_v1", "google.cloud.storage")


def submit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `submit`."""
    add_settings(parser)
    add_arguments(parser)
    parser.add_argument(
        "--rerun", type=int, default=0, metavar="N", help="repeat the same run, for the Nth time"
    )
    parser.add_argument("--no-wait", action="store_true", help="return when the batch has started")
    parser.add_argument("--dry-run", action="store_true", help="print the batch, and send nothing")
    parser.add_argument("--poll-seconds", type=float, default=POLL_SECONDS, metavar="SECONDS")


def provision_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `provision`."""
    add_settings(parser)
    parser.add_argument(
        "--inputs", metavar="FOLDER", help="copy the files of this folder to data_bucket"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the gcloud and bq commands")


def batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the commands about one batch."""
    add_settings(parser)
    parser.add_argument("batch", help="id of the batch, as printed by submit")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the settings file, which each of these commands needs."""
    parser.add_argument(
        "--settings",
        required=True,
        metavar="FILE",
        help="settings of batches, like conf/dataproc.toml",
    )


def submit(options: argparse.Namespace) -> None:
    """Start a batch, and follow it to its end."""
    settings = load_settings(options.settings)
    load_profile(options.profile)
    hashing = ["--hash-customers", "--hash-secret", secret_name()] if options.hash_customers else []
    need_clients(CLIENTS)
    from runners.dataproc import batches, calls, checks, request, uploads

    out = destination_in(options)
    inputs = checks.check_inputs(inputs_of(options), out)
    checks.check_python(settings)
    code = uploads.code_for(settings.code_bucket, whole_text(options.profile))
    arguments = _arguments(options, code.profile) + hashing
    name = batch_id(settings.prefix, options.run_date, arguments, code.digest, options.rerun)
    batch = request.batch_of(settings, code, arguments)
    batch.labels[request.SUBMISSION] = uuid.uuid4().hex
    if options.dry_run:
        print(_dry_run(settings, name, type(batch).to_json(batch), [*code.contents]))
        return
    client = storage_client(settings)
    checks.check_buckets_and_dataset(client, settings, inputs, out)
    for address in uploads.upload(client, code):
        print(f"uploaded {address}")
    controller = calls.batch_client(settings.region)
    started = batches.start(controller, settings, batch, name)
    print(batches.description(started))
    if not options.no_wait:
        batches.follow(controller, started, options.poll_seconds)
        print(batches.description(batches.find(controller, settings, name)))


def run_provision(options: argparse.Namespace) -> None:
    """Make what batches need; Google's clients are imported only when a command runs."""
    need_clients(CLIENTS)
    from runners.dataproc.provision import provision

    provision(options)


def status(options: argparse.Namespace) -> None:
    """Print the state of a batch."""
    settings, controller, batches = _connect(options)
    print(batches.description(batches.find(controller, settings, options.batch)))


def logs(options: argparse.Namespace) -> None:
    """Print the state of a batch, links to its logs, and its output."""
    settings, controller, batches = _connect(options)
    batch = batches.find(controller, settings, options.batch)
    print(batches.description(batch))
    if batch.runtime_info.output_uri:
        from runners.dataproc.uploads import texts_below

        print(texts_below(storage_client(settings), batch.runtime_info.output_uri))


def cancel(options: argparse.Namespace) -> None:
    """Ask a batch to stop."""
    settings, controller, batches = _connect(options)
    batches.stop(controller, batches.find(controller, settings, options.batch))
    print(f"{options.batch}: asked to stop")


def _connect(options: argparse.Namespace) -> tuple[DataprocSettings, Any, Any]:
    settings = load_settings(options.settings)
    need_clients(CLIENTS)
    from runners.dataproc import batches, calls

    return settings, calls.batch_client(settings.region), batches


def need_clients(clients: Iterable[str]) -> None:
    """Raises ConfigurationError if one of Google's clients is not installed."""
    if problems := missing(clients, "gcp"):
        raise ConfigurationError("Dataproc", problems)


def storage_client(settings: DataprocSettings) -> Any:
    """A client of Cloud Storage for the project of the settings."""
    from google.cloud import storage

    from runners.dataproc.calls import calling

    with calling(settings.project):
        return storage.Client(project=settings.project)


def _arguments(options: argparse.Namespace, profile: str) -> list[str]:
    """The arguments of `runners/dataproc/batch.py`."""
    arguments = ["--profile", profile, "--customers", options.customers]
    arguments += ["--samples", options.samples, "--calls", options.calls, "--out", options.out]
    arguments += ["--run-date", options.run_date.isoformat()]
    if options.history:
        arguments += ["--history", *options.history]
    if options.prefix:
        arguments += ["--prefix", options.prefix]
    if options.staging_bucket:
        arguments += ["--staging-bucket", options.staging_bucket]
    if options.keep_days is not None:
        arguments += ["--keep-days", str(options.keep_days)]
    return arguments + ["--add-columns"] * options.add_columns


def _dry_run(settings: DataprocSettings, name: str, batch: str, uploads: list[str]) -> str:
    request = {
        "parent": settings.location,
        "batchId": name,
        "batch": json.loads(batch),
        "uploads": uploads,
    }
    return json.dumps(request, indent=2)
