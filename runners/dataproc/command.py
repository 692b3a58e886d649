"""The commands `submit`, `status`, `logs` and `cancel`."""

import argparse
import json
import uuid
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from anomaly.errors import ConfigurationError
from anomaly.profile.files import whole_text
from anomaly.profile.reader import load_profile
from runners.dataproc.names import batch_id
from runners.dataproc.settings import DataprocSettings, load_settings
from runners.services.arguments import add_arguments, inputs_of, publishing_of
from runners.services.hash_key import secret_name

POLL_SECONDS = 10.0
CLIENTS = ("google.cloud.bigquery", "google.cloud.dataproc_v1", "google.cloud.storage")


def add_commands(commands: Any) -> None:
    """Add the parsers of the commands; Google's clients are imported only when one runs."""
    submit = commands.add_parser(
        "submit",
        help="run on Dataproc Serverless",
        description="Submits a run to Dataproc Serverless and follows it to its end.",
    )
    add_settings(submit)
    add_arguments(submit)
    submit.add_argument(
        "--rerun", type=int, default=0, metavar="N", help="repeat the same run, for the Nth time"
    )
    submit.add_argument("--no-wait", action="store_true", help="return when the batch has started")
    submit.add_argument("--dry-run", action="store_true", help="print the batch, and send nothing")
    submit.add_argument("--poll-seconds", type=float, default=POLL_SECONDS, metavar="SECONDS")
    submit.set_defaults(command=_submit)
    provision = commands.add_parser(
        "provision",
        help="create buckets, dataset and history server",
        description="Creates what batches need; what exists already stays as it is.",
    )
    add_settings(provision)
    provision.add_argument(
        "--inputs", metavar="FOLDER", help="copy the files of this folder to data_bucket"
    )
    provision.add_argument(
        "--dry-run", action="store_true", help="print the gcloud and bq commands"
    )
    provision.set_defaults(command=_provision)
    for name, help_text, command in (
        ("status", "print the state of a batch", _status),
        ("logs", "print the output of a batch, and links to its logs", _logs),
        ("cancel", "ask a batch to stop", _cancel),
    ):
        parser = commands.add_parser(name, help=help_text)
        add_settings(parser)
        parser.add_argument("batch", help="id of the batch, as printed by submit")
        parser.set_defaults(command=command)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the settings file, which each of these commands needs."""
    parser.add_argument(
        "--settings",
        required=True,
        metavar="FILE",
        help="settings of batches, like conf/dataproc.toml",
    )


def _submit(options: argparse.Namespace) -> None:
    settings = load_settings(options.settings)
    load_profile(options.profile)
    hashing = ["--hash-customers", "--hash-secret", secret_name()] if options.hash_customers else []
    need_clients(CLIENTS)
    from runners.dataproc import batches, calls, checks, request, uploads

    publishing = publishing_of(options)
    inputs = checks.check_places(inputs_of(options), options.out, publishing)
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
    checks.check_buckets_and_dataset(client, settings, inputs, options.out, publishing)
    for address in uploads.upload(client, code):
        print(f"uploaded {address}")
    controller = calls.batch_client(settings.region)
    started = batches.start(controller, settings, batch, name)
    print(batches.description(started))
    if not options.no_wait:
        batches.follow(controller, started, options.poll_seconds)
        print(batches.description(batches.find(controller, settings, name)))


def _provision(options: argparse.Namespace) -> None:
    need_clients(CLIENTS)
    from runners.dataproc.provision import provision

    provision(options)


def _status(options: argparse.Namespace) -> None:
    settings, controller, batches = _connect(options)
    print(batches.description(batches.find(controller, settings, options.batch)))


def _logs(options: argparse.Namespace) -> None:
    settings, controller, batches = _connect(options)
    batch = batches.find(controller, settings, options.batch)
    print(batches.description(batch))
    if batch.runtime_info.output_uri:
        from runners.dataproc.uploads import texts_below

        print(texts_below(storage_client(settings), batch.runtime_info.output_uri))


def _cancel(options: argparse.Namespace) -> None:
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
    try:
        for client in clients:
            import_module(client)
    except ImportError as error:
        raise ConfigurationError(
            "Dataproc", [f"Google's clients are not installed; run `make jars` ({error})"]
        ) from error


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
