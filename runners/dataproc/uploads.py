"""Code and profile of a batch in a bucket, named by the hash of their content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage

from runners.dataproc.archive import code_archive, main_file
from runners.dataproc.calls import CALL, calling
from runners.storage.addresses import address_of

FOLDER = "cell-tower-anomaly"
HASH_LENGTH = 16


@dataclass(frozen=True)
class UploadedCode:
    """The addresses of zip, main file and profile: gs://BUCKET/FOLDER/HASH/NAME."""

    archive: str
    main_file: str
    profile: str
    contents: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """A hash of code and profile."""
        return hashlib.sha256("".join(sorted(self.contents)).encode()).hexdigest()


def code_for(bucket: str, profile: str) -> UploadedCode:
    """The code of a batch with the text of a profile, in a bucket; nothing is uploaded yet."""
    contents: dict[str, bytes] = {}

    def address(name: str, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()[:HASH_LENGTH]
        found = f"gs://{bucket}/{FOLDER}/{digest}/{name}"
        contents[found] = content
        return found

    return UploadedCode(
        archive=address("code.zip", code_archive()),
        main_file=address("batch.py", main_file().read_bytes()),
        profile=address("profile.toml", profile.encode()),
        contents=contents,
    )


def upload(client: storage.Client, code: UploadedCode) -> list[str]:
    """Upload what is missing; returns the addresses of what was uploaded."""
    uploaded = []
    for address, content in code.contents.items():
        blob = storage.Blob.from_uri(address, client=client)
        with calling(address):
            if blob.exists(**CALL):
                continue
            try:
                # Another submit may have been faster, with the same content.
                blob.upload_from_string(content, if_generation_match=0, **CALL)
                uploaded.append(address)
            except PreconditionFailed:
                continue
    return uploaded


def texts_below(client: storage.Client, address: str) -> str:
    """The text of all objects with this prefix, in the order of their names."""
    _, bucket, prefix = address_of(address)
    with calling(address):
        blobs = sorted(client.list_blobs(bucket, prefix=prefix, **CALL), key=lambda blob: blob.name)
        # Joined before decoding: an object may end inside a character.
        content = b"".join(blob.download_as_bytes(**CALL) for blob in blobs)
    return content.decode(errors="replace")
