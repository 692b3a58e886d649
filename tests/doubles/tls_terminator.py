"""Put TLS in front of a plain gRPC server on this machine.

    python tests/doubles/tls_terminator.py LISTEN_PORT BACKEND_PORT DIRECTORY PASSWORD

The Spark BigQuery connector speaks gRPC over TLS only, the emulator in clear text only. This
process makes a certificate for localhost that signs itself, leaves it in DIRECTORY as `ca.pem`
(for gRPC and Python) and as the Java trust store `trust.p12` (locked with PASSWORD), and passes
the decrypted bytes on. The private key leaves the process only for the moment it is loaded.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

LOOPBACK = "127.0.0.1"
CA_FILE = "ca.pem"
TRUST_STORE_FILE = "trust.p12"
VALIDITY = timedelta(days=30)
CHUNK_BYTES = 64 * 1024


def make_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Make a certificate for the loopback address that is its own authority."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    addresses = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address(LOOPBACK)),
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Starts in the past: clocks of containers differ by a little.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def write_trust_files(certificate: x509.Certificate, directory: Path, password: str) -> None:
    """Write the certificate in the forms that Python and Java clients take."""
    directory.mkdir(parents=True, exist_ok=True)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (directory / CA_FILE).write_bytes(pem)
    trust_store = pkcs12.serialize_java_truststore(
        [pkcs12.PKCS12Certificate(certificate, b"local-cloud")],
        serialization.BestAvailableEncryption(password.encode()),
    )
    (directory / TRUST_STORE_FILE).write_bytes(trust_store)


def make_server_context(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> ssl.SSLContext:
    """Make the TLS settings of the server side, offering HTTP/2 as gRPC demands."""
    private_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The ssl module reads certificates from files only.
    with tempfile.NamedTemporaryFile(suffix=".pem") as chain:
        chain.write(certificate.public_bytes(serialization.Encoding.PEM) + private_key)
        chain.flush()
        context.load_cert_chain(chain.name)
    context.set_alpn_protocols(["h2"])
    return context


async def copy_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until one side hangs up, then hang up on the other."""
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass  # a broken connection ends the copy like a closed one
    finally:
        writer.close()


async def serve(listen_port: int, backend_port: int, context: ssl.SSLContext) -> None:
    """Accept TLS connections for ever, each with a connection of its own to the backend."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            backend_reader, backend_writer = await asyncio.open_connection(LOOPBACK, backend_port)
        except OSError:
            writer.close()  # the backend is not up yet, or gone: the client may try again
            return
        await asyncio.gather(
            copy_stream(reader, backend_writer), copy_stream(backend_reader, writer)
        )

    server = await asyncio.start_server(handle, LOOPBACK, listen_port, ssl=context)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Write the trust files, then serve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("listen_port", type=int)
    parser.add_argument("backend_port", type=int)
    parser.add_argument("directory", type=Path)
    parser.add_argument("password")
    arguments = parser.parse_args()
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = make_certificate(key)
    context = make_server_context(certificate, key)
    # Written before the port opens: whoever can connect finds the files complete.
    write_trust_files(certificate, arguments.directory, arguments.password)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments.listen_port, arguments.backend_port, context))


if __name__ == "__main__":
    main()
