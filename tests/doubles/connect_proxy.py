"""A proxy that sends clients of Dataproc to a fake of it, without their knowing.

    with ConnectProxy(port_of_the_fake) as proxy:
        subprocess.run(command, env={"grpc_proxy": proxy.url, ...})

Airflow's operators can be told no other address than Google's, but gRPC asks the proxy that the
variable `grpc_proxy` names for a tunnel (`CONNECT HOST:443`). Tunnels to Dataproc of any region
end at the fake, which has to serve TLS for that name; all others are refused, so that nothing
leaves the machine.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

LOOPBACK = "127.0.0.1"
DATAPROC = re.compile(r"[a-z0-9-]+-dataproc\.googleapis\.com:443")
CHUNK_BYTES = 64 * 1024


class ConnectProxy:
    """The proxy, on a free port of this machine.

    Attributes:
        url: where it listens (once entered).
        tunnels: the targets that clients were let through to, in this order.
        refused: the targets that they were not.
    """

    url: str

    def __init__(self, backend_port: int) -> None:
        """Remember where tunnels end; entering the context starts the proxy."""
        self.backend_port = backend_port
        self.tunnels: list[str] = []
        self.refused: list[str] = []

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._server = TunnelServer(self)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take no more tunnels; those there are end with their clients."""
        self._server.shutdown()
        self._server.server_close()


class TunnelServer(ThreadingHTTPServer):
    """Serves each client in a thread of its own."""

    daemon_threads = True

    def __init__(self, proxy: ConnectProxy) -> None:
        """Bind a free port."""
        self.proxy = proxy
        super().__init__((LOOPBACK, 0), TunnelRequest)


class TunnelRequest(BaseHTTPRequestHandler):
    """One client that asks for a tunnel."""

    server: TunnelServer

    def do_CONNECT(self) -> None:
        """Let the client through to the fake, or refuse."""
        proxy = self.server.proxy
        if not DATAPROC.fullmatch(self.path):
            proxy.refused.append(self.path)
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        proxy.tunnels.append(self.path)
        with socket.create_connection((LOOPBACK, proxy.backend_port)) as backend:
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            join(self.connection, backend)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: tests look into `tunnels` and `refused`."""


def join(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until both sides have ended."""
    with ThreadPoolExecutor(1) as other_way:
        other_way.submit(copy, other, one)
        copy(one, other)


def copy(source: socket.socket, sink: socket.socket) -> None:
    """Pass bytes one way, and then the end."""
    with contextlib.suppress(OSError):  # a side that is gone needs no more bytes
        for chunk in chunks(source):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def chunks(source: socket.socket) -> Iterator[bytes]:
    """Give what arrives, until the end."""
    while chunk := source.recv(CHUNK_BYTES):
        yield chunk
