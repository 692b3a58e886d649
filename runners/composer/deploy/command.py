"""The command `deploy-dag`."""

import argparse
import json

from anomaly.errors import ConfigurationError
from anomaly.profile.files import whole_text
from anomaly.profile.reader import load_profile
from runners.composer.deploy.settings import load_deployment
from runners.dataproc.command import add_settings, need_clients, storage_client
from runners.storage.addresses import address_of

CLIENTS = (
    "google.cloud.dataproc_v1",
    "google.cloud.orchestration.airflow.service_v1",
    "google.cloud.storage",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `deploy-dag`."""
    add_settings(parser)
    parser.add_argument(
        "--profile", default="default", help="a TOML file, or a shipped profile: default, lab"
    )
    parser.add_argument("--bucket", help="bucket of the environment (default: from the settings)")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be uploaded, and send nothing"
    )


def run(options: argparse.Namespace) -> None:
    """Upload the DAG; Google's clients are imported only now."""
    settings, composer = load_deployment(options.settings, options.bucket)
    load_profile(options.profile)
    need_clients(CLIENTS)
    from runners.composer.deploy import deployment, environments
    from runners.dataproc import checks

    checks.check_python(settings)
    folder = f"gs://{composer.bucket}/dags"
    if not composer.bucket:
        folder = environments.folder_of_dags(settings, composer.environment)
    planned = deployment.deployment_of(settings, composer, folder, whole_text(options.profile))
    if options.dry_run:
        uploads = [*planned.code.contents, *planned.dag]
        listing = {
            "uploads": uploads,
            "removes": planned.former,
            "deployment.json": planned.description,
        }
        print(json.dumps(listing, indent=2, sort_keys=True))
        return
    client = storage_client(settings)
    bucket = address_of(folder).host
    if not checks.has_bucket(client, bucket):
        missing = f"there is no bucket {bucket}; name that of the environment"
        raise ConfigurationError("deploy-dag", [missing])
    for done, address in deployment.deploy(client, planned):
        print(f"{done:9}  {address}")
