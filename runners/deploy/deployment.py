"""What is deployed: the code of the batches, and the DAG file with what it reads beside it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from google.cloud import storage
from google.protobuf.json_format import MessageToDict

from runners.dataproc.calls import CALL, calling
from runners.dataproc.names import legal
from runners.dataproc.request import batch_of
from runners.dataproc.settings import DataprocSettings
from runners.dataproc.uploads import UploadedCode, code_for, upload
from runners.deploy.settings import ComposerSettings

DAG_FILE = Path(__file__).parents[1] / "composer.py"


@dataclass(frozen=True)
class Deployment:
    """Objects by their addresses: those of the code stay as they are, those of the DAG change.

    description: what the DAG file reads.
    """

    code: UploadedCode
    description: Mapping[str, Any]
    folder: str

    @property
    def dag(self) -> dict[str, bytes]:
        """The DAG file comes last: it needs what lies beside it."""
        text = json.dumps(self.description, indent=2, sort_keys=True) + "\n"
        return {
            f"{self.folder}/deployment.json": text.encode(),
            f"{self.folder}/composer.py": DAG_FILE.read_bytes(),
        }


def deployment_of(
    settings: DataprocSettings, composer: ComposerSettings, folder_of_dags: str, profile: str
) -> Deployment:
    """A deployment into the bucket where the folder of all DAGs lies; nothing is uploaded yet."""
    code = code_for(bucket_of(folder_of_dags), profile)
    return Deployment(
        code, _description(settings, composer, code), f"{folder_of_dags}/{composer.dag_id}"
    )


def deploy(client: storage.Client, deployment: Deployment) -> Iterator[tuple[str, bool]]:
    """Upload what is not there yet; gives each address, and whether it was uploaded."""
    uploaded = upload(client, deployment.code)
    for address in deployment.code.contents:
        yield address, address in uploaded
    for address, content in deployment.dag.items():
        yield address, _replace(client, address, content)


def bucket_of(address: str) -> str:
    """The bucket of gs://BUCKET/FOLDER."""
    return address.removeprefix("gs://").partition("/")[0]


def _replace(client: storage.Client, address: str, content: bytes) -> bool:
    """Upload an object unless it is the same already; tells whether it was uploaded."""
    blob = storage.Blob.from_uri(address, client=client)
    with calling(address):
        if blob.exists(**CALL) and blob.download_as_bytes(**CALL) == content:
            return False
        blob.upload_from_string(content, **CALL)
    return True


def _description(
    settings: DataprocSettings, composer: ComposerSettings, code: UploadedCode
) -> dict[str, Any]:
    """What deployment.json says: of the DAG, of its batches, and of its runs."""
    batch = batch_of(settings, code, [])
    run = asdict(composer.run)
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
        # The client takes it back as it is: dataproc_v1.Batch(batch).
        "batch": MessageToDict(type(batch).pb(batch), preserving_proto_field_name=True),
        "settings": run
        | {"archive": code.archive, "main_file": code.main_file, "profile": code.profile},
    }
