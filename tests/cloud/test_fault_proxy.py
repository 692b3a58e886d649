"""The fault proxies do to their clients what they say, and nothing else."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from tests.doubles.fault_proxy import LOOPBACK, Faults, HttpFaultProxy, TcpFaultProxy

pytestmark = pytest.mark.cloud

TIMEOUT_SECONDS = 10.0
SLOW_SECONDS = 0.05


class EchoHttp(BaseHTTPRequestHandler):
    """Answers with the body of the request, in chunks if it came in chunks."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        chunks = list(self.read_chunks()) if chunked else []
        body = b"".join(chunks) or self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, self.headers["Host"], body))
        self.send_response(200)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in [*chunks, b""]:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST

    def read_chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size + 2)[:-2]
        self.rfile.readline()

    def log_message(self, *_: object) -> None:
        pass


class EchoTcp(socketserver.BaseRequestHandler):
    """Sends back what comes."""

    def handle(self) -> None:
        try:
            while data := self.request.recv(4096):
                self.request.sendall(data)
        except ConnectionError:
            pass  # that is what the proxy is for


class Backend(socketserver.ThreadingTCPServer):
    """A server in threads that ends with its `with` block."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__((LOOPBACK, 0), handler)
        self.port = self.server_address[1]
        self.requests: list[tuple[str, str, bytes]] = []

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.requests]


@contextmanager
def running(handler: type[socketserver.BaseRequestHandler]) -> Iterator[Backend]:
    with Backend(handler) as backend:
        thread = threading.Thread(target=backend.serve_forever, args=(0.01,))
        thread.start()
        yield backend
        backend.shutdown()
        thread.join()


@pytest.fixture
def backend() -> Iterator[Backend]:
    with running(EchoHttp) as backend:
        yield backend


@pytest.fixture
def proxy(backend: Backend) -> Iterator[HttpFaultProxy]:
    with HttpFaultProxy(backend.port) as proxy:
        yield proxy


def connection_to(proxy: HttpFaultProxy) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection(LOOPBACK, proxy.port, timeout=TIMEOUT_SECONDS))


def ask(proxy: HttpFaultProxy, path: str, body: bytes = b"", method: str = "POST") -> bytes | int:
    """Ask on a new connection; give the body, or the status if it is an error."""
    with connection_to(proxy) as connection:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.read() if answer.status == 200 else answer.status


def test_without_faults_one_connection_carries_all_requests(
    backend: Backend, proxy: HttpFaultProxy
) -> None:
    packed = gzip.compress(b"text")
    with connection_to(proxy) as connection:
        connection.connect()
        sock = connection.sock
        for method, body, expected in [
            ("POST", packed, packed),
            ("GET", None, b""),
            ("HEAD", None, b""),
            ("PUT", b"x" * 300_000, b"x" * 300_000),
        ]:
            connection.request(method, f"/{method}?a=b", body, {"Host": "example.test"})
            assert connection.getresponse().read() == expected
        assert connection.sock is sock
    assert backend.paths == ["/POST?a=b", "/GET?a=b", "/HEAD?a=b", "/PUT?a=b"]
    assert {host for _, host, _ in backend.requests} == {"example.test"}
    assert not proxy.injected


def test_chunks_arrive_whole_both_ways(backend: Backend, proxy: HttpFaultProxy) -> None:
    chunks = [b"one", b"\r\n0\r\n\r\n", b"x" * 200_000]
    with connection_to(proxy) as connection:
        for _ in range(2):  # the second one shows that nothing of the first was left over
            connection.request("POST", "/", iter(chunks), encode_chunked=True)
            answer = connection.getresponse()
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert answer.read() == b"".join(chunks)
    assert [body for _, _, body in backend.requests] == [b"".join(chunks)] * 2


@pytest.mark.parametrize(
    ("kind", "reason", "name"),
    [
        ("429", "rateLimitExceeded", "RESOURCE_EXHAUSTED"),
        ("500", "internalError", "INTERNAL"),
        ("503", "backendError", "UNAVAILABLE"),
    ],
)
def test_error_is_answered_in_googles_words_and_not_passed_on(
    backend: Backend, proxy: HttpFaultProxy, kind: str, reason: str, name: str
) -> None:
    proxy.faults = Faults({kind}, probability=1)
    with connection_to(proxy) as connection:
        connection.request("POST", "/", b"body")
        answer = connection.getresponse()
        error = json.load(answer)["error"]
        assert answer.status == error["code"] == int(kind)
        assert error["errors"][0]["reason"] == reason
        assert error["status"] == name
        connection.request("HEAD", "/")
        assert connection.getresponse().read() == b""
        assert backend.paths == []
        proxy.faults = None
        connection.request("GET", "/later")  # the connection lives on
        assert connection.getresponse().status == 200
    assert backend.paths == ["/later"]
    assert proxy.injected == {kind: 2}


@pytest.mark.parametrize(("kind", "arrived"), [("drop_before", []), ("drop_after", ["/"])])
def test_dropped_request_has_no_answer(
    backend: Backend, proxy: HttpFaultProxy, kind: str, arrived: list[str]
) -> None:
    proxy.faults = Faults({kind}, probability=1)
    with pytest.raises(ConnectionError):
        ask(proxy, "/", b"body")
    assert backend.paths == arrived
    assert proxy.injected == {kind: 1}
    proxy.faults = None
    assert ask(proxy, "/", b"again") == b"again"


def test_slow_request_is_answered_late(proxy: HttpFaultProxy) -> None:
    proxy.faults = Faults({"slow"}, probability=1, slow_seconds=SLOW_SECONDS)
    start = time.monotonic()
    assert ask(proxy, "/", b"body") == b"body"
    assert time.monotonic() - start >= SLOW_SECONDS
    assert proxy.injected == {"slow": 1}


def test_same_seed_gives_same_faults(proxy: HttpFaultProxy) -> None:
    def statuses(seed: int) -> list[bytes | int]:
        proxy.faults = Faults({"503", "500", "429"}, probability=0.5, seed=seed)
        return [ask(proxy, "/", b"fine") for _ in range(30)]

    first = statuses(1)
    assert set(first) == {b"fine", 429, 500, 503}
    assert statuses(1) == first
    assert statuses(2) != first


@pytest.mark.parametrize("packed", [False, True])
def test_predicate_picks_its_request(backend: Backend, proxy: HttpFaultProxy, packed: bool) -> None:
    def when(method: str, path: str, body: bytes) -> str | None:
        is_commit = method == "POST" and path == "/query?x=1" and b"COMMIT" in body
        return "drop_after" if is_commit else None

    def query(text: bytes) -> bytes:
        headers = {"Content-Encoding": "gzip"} if packed else {}
        body = gzip.compress(text) if packed else text
        connection.request("POST", "/query?x=1", body, headers)
        answer = connection.getresponse().read()
        return gzip.decompress(answer) if packed else answer

    proxy.faults = Faults(when=when)
    with connection_to(proxy) as connection:
        assert query(b"BEGIN TRANSACTION") == b"BEGIN TRANSACTION"
        with pytest.raises(ConnectionError):
            query(b"COMMIT TRANSACTION")
    assert len(backend.requests) == 2
    assert proxy.injected == {"drop_after": 1}


def test_wrong_predicate_is_reported_when_the_proxy_ends(backend: Backend) -> None:
    with (
        pytest.raises(ValueError, match="no such fault here: 'dorp'"),
        HttpFaultProxy(backend.port, Faults(when=lambda *_: "dorp")) as proxy,
        pytest.raises(ConnectionError),
    ):
        ask(proxy, "/")


def test_many_connections_at_once(backend: Backend, proxy: HttpFaultProxy) -> None:
    proxy.faults = Faults({"503"}, probability=0.3, seed=3)
    bodies = [b"%d" % number * 1000 for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: ask(proxy, "/", body), bodies))
    failed = answers.count(503)
    assert all(answer in (503, body) for answer, body in zip(answers, bodies, strict=True))
    assert 0 < failed < 60
    assert proxy.injected == {"503": failed}
    assert len(backend.requests) == 60 - failed


def test_backend_that_is_gone_looks_like_a_drop() -> None:
    with socket.create_server((LOOPBACK, 0)) as probe:
        port = probe.getsockname()[1]
    with HttpFaultProxy(port) as proxy, pytest.raises(ConnectionError):
        ask(proxy, "/")
    assert not proxy.injected


def test_nothing_is_left_behind(backend: Backend) -> None:
    before = set(threading.enumerate())
    with (
        HttpFaultProxy(backend.port, Faults({"slow"}, 1, slow_seconds=60)) as http_proxy,
        TcpFaultProxy(backend.port) as tcp_proxy,
    ):
        ports = [http_proxy.port, tcp_proxy.port]
        clients = [socket.create_connection((LOOPBACK, port)) for port in ports]
        clients[0].sendall(b"GET / HTTP/1.1\r\n\r\n")  # waits out its minute, but for the end
    for client in clients:
        with client:
            client.settimeout(TIMEOUT_SECONDS)
            assert received(client) == b""
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, port))
    # The backend has threads of its own for the connections that it got.
    left = {thread for thread in threading.enumerate() if "request_thread" not in thread.name}
    assert left <= before


def received(client: socket.socket) -> bytes:
    """Read until the connection ends, in whichever way."""
    data = b""
    try:
        while part := client.recv(4096):
            data += part
    except ConnectionError:
        pass
    return data


def echo(proxy: TcpFaultProxy, data: bytes) -> bytes:
    """Send all, say that this was all, and read what comes back."""
    with socket.create_connection((LOOPBACK, proxy.port), TIMEOUT_SECONDS) as client:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # dropped meanwhile
        return received(client)


@pytest.fixture
def tcp_proxy() -> Iterator[TcpFaultProxy]:
    with running(EchoTcp) as backend, TcpFaultProxy(backend.port) as proxy:
        yield proxy


def test_bytes_pass_unchanged(tcp_proxy: TcpFaultProxy) -> None:
    data = bytes(range(256)) * 200
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: echo(tcp_proxy, data), range(8))) == [data] * 8
    assert not tcp_proxy.injected


def test_connection_is_dropped_within_its_stretch(tcp_proxy: TcpFaultProxy) -> None:
    data = b"x" * 5000
    tcp_proxy.faults = Faults({"drop"}, probability=1, stretch_bytes=1000)
    assert len(echo(tcp_proxy, data)) <= 1000
    assert tcp_proxy.injected["drop"] >= 1  # both directions may come to their end at once


def test_faults_reach_a_connection_that_is_open(tcp_proxy: TcpFaultProxy) -> None:
    with socket.create_connection((LOOPBACK, tcp_proxy.port), TIMEOUT_SECONDS) as client:
        client.sendall(b"ping")
        assert client.recv(4) == b"ping"
        tcp_proxy.faults = Faults({"drop"}, probability=1, stretch_bytes=1)
        client.sendall(b"ping")
        assert received(client) in (b"", b"p")
    assert tcp_proxy.injected["drop"]


def test_slow_bytes_arrive_late_and_whole(tcp_proxy: TcpFaultProxy) -> None:
    tcp_proxy.faults = Faults({"slow"}, 1, slow_seconds=SLOW_SECONDS, stretch_bytes=1)
    start = time.monotonic()
    assert echo(tcp_proxy, b"ab") == b"ab"
    assert time.monotonic() - start >= 2 * SLOW_SECONDS
    assert tcp_proxy.injected == {"slow": 4}  # each of two bytes, there and back
