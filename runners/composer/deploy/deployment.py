"""A deployment: the code of the batches, and the DAG as a package."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from google.cloud import storage
from google.protobuf.json_format import MessageToDict

from runners.composer.deploy.schema import SCHEMA
from runners.composer.deploy.settings import ComposerSettings
from runners.dataproc.calls import CALL, calling
from runners.dataproc.names import legal
from runners.dataproc.request import batch_of
from runners.dataproc.settings import DataprocSettings
from runners.dataproc.uploads import UploadedCode, code_for, upload
from runners.storage import addresses
from runners.storage.addresses import address_of

SOURCE, PACKAGE = Path(__file__).parents[1], "runners.composer"
DAG_FILE, DESCRIPTION = "dag.py", "deployment.json"
# Files of older versions, where the DAG was a single file in a folder with the id of the DAG.
FORMER = ("composer.py", DESCRIPTION)


@dataclass(frozen=True)
class Deployment:
    """The objects to upload by address: those of the code never change, those of the DAG do.

    description: the settings that the DAG reads. folder_of_dags: the DAG folder of the environment.
    """

    code: UploadedCode
    description: Mapping[str, Any]
    folder_of_dags: str

    @property
    def package(self) -> str:
        """The folder of the DAG, and the package name of its modules.

        All DAGs of an environment share sys.modules, so the name is unique to this DAG, hides no
        installed package, and is a valid identifier.
        """
        return f"dag_{self.description['dag_id'].replace('-', '_')}"

    @property
    def dag(self) -> dict[str, bytes]:
        """The objects of the DAG; the DAG file comes last, because it needs the others."""
        modules = {}
        for path in (*sorted(SOURCE.glob("*.py")), Path(addresses.__file__)):
            text = path.read_text(encoding="utf-8").replace(PACKAGE, self.package)
            modules[path.name] = text.replace(addresses.__package__, self.package)
        dag_file = modules.pop(DAG_FILE)
        schema = {name: asdict(setting) for name, setting in SCHEMA.items()}
        # These lines mean the same as regular expressions (Airflow 2) and as globs (Airflow 3).
        ignored = [name.replace(".", r"\.") for name in modules]
        files = {
            ".airflowignore": "\n".join(ignored) + "\n",
            # Not sorted: the form of a run shows the settings in this order.
            "schema.json": json.dumps(schema, indent=2) + "\n",
            DESCRIPTION: json.dumps(self.description, indent=2, sort_keys=True) + "\n",
            **modules,
            DAG_FILE: dag_file,
        }
        folder = f"{self.folder_of_dags}/{self.package}"
        return {f"{folder}/{name}": text.encode() for name, text in files.items()}

    @property
    def former(self) -> list[str]:
        """Files of older versions to remove: they would define a DAG with the same id."""
        return [f"{self.folder_of_dags}/{self.description['dag_id']}/{name}" for name in FORMER]


def deployment_of(
    settings: DataprocSettings, composer: ComposerSettings, folder_of_dags: str, profile: str
) -> Deployment:
    """A deployment into the bucket of the DAG folder; nothing is uploaded yet."""
    code = code_for(address_of(folder_of_dags).host, profile)
    return Deployment(code, _description(settings, composer, code), folder_of_dags)


def deploy(client: storage.Client, deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Upload what is missing, then remove what it replaces.

    Yields for each object what was done (uploaded, unchanged, removed), and its address.
    """
    uploaded = upload(client, deployment.code)
    for address in deployment.code.contents:
        yield "uploaded" if address in uploaded else "unchanged", address
    for address, content in deployment.dag.items():
        yield "uploaded" if _replace(client, address, content) else "unchanged", address
    for address in deployment.former:
        if _remove(client, address):
            yield "removed", address


def _replace(client: storage.Client, address: str, content: bytes) -> bool:
    """Upload an object unless it is the same already; returns whether it was uploaded."""
    blob = storage.Blob.from_uri(address, client=client)
    with calling(address):
        if blob.exists(**CALL) and blob.download_as_bytes(**CALL) == content:
            return False
        blob.upload_from_string(content, **CALL)
    return True


def _remove(client: storage.Client, address: str) -> bool:
    """Remove an object; returns whether it existed."""
    blob = storage.Blob.from_uri(address, client=client)
    with calling(address):
        if not blob.exists(**CALL):
            return False
        blob.delete(**CALL)
    return True


def _description(
    settings: DataprocSettings, composer: ComposerSettings, code: UploadedCode
) -> dict[str, Any]:
    """The content of deployment.json: settings of the DAG, of its batches, and of its runs."""
    batch = batch_of(settings, code, [])
    return {
        "dag_id": composer.dag_id,
        "shape": composer.shape.value,
        "schedule": composer.schedule or None,
        "start_date": composer.start_date.isoformat(),
        "owner": composer.owner,
        "tags": composer.tags,
        "retries": composer.retries,
        "retry_minutes": composer.retry_minutes,
        "input_hours": composer.input_hours,
        "deferrable": composer.deferrable,
        "connection": composer.connection,
        "project": settings.project,
        "region": settings.region,
        "batch_prefix": legal(settings.prefix),
        # The client accepts this again: dataproc_v1.Batch(batch).
        "batch": MessageToDict(type(batch).pb(batch), preserving_proto_field_name=True),
        "settings": {
            **composer.run,
            **{"archive": code.archive, "main_file": code.main_file, "profile": code.profile},
        },
    }
