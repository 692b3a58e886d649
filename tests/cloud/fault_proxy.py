"""Make a local service fail at random, but reproducibly, for the clients that talk to it.

    with HttpFaultProxy(backend_port) as proxy:
        client = connect_to(proxy.url)
        proxy.faults = Faults({"503", "drop_after"}, probability=0.3, seed=7)
        ...
        proxy.faults = None
        assert proxy.injected["drop_after"]

A proxy lives in the calling process: an asyncio loop in a thread of its own. `TcpFaultProxy`
carries any bytes (gRPC over TLS) and can only drop connections or be slow. With several
connections at once the faults come in the seed's order, but which request meets which fault
depends on who comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import io
import json
import random
import socket
import sys
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from email.message import Message
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
# Of one line or head of HTTP: page tokens and upload sessions make long ones.
LINE_LIMIT_BYTES = 1024 * 1024

# What Google's APIs say beside each status: the reason and the name of the status.
ERROR_ANSWERS = {
    "429": ("rateLimitExceeded", "RESOURCE_EXHAUSTED"),
    "500": ("internalError", "INTERNAL"),
    "503": ("backendError", "UNAVAILABLE"),
}

When = Callable[[str, str, bytes], str | None]


@dataclass(eq=False)  # not a value: the dice move on
class Faults:
    """Which faults to inject, and how often.

    Attributes:
        kinds: the faults to draw from, all as likely.
        probability: of a fault for each request (HTTP) or each stretch of bytes (TCP).
        seed: the same seed gives the same sequence of faults.
        when: HTTP only. Gets method, path with query, and body (without chunks or gzip) of each
            request, in the proxy's thread; names its fault, or gives None to leave it to the
            dice. What it raises is raised again when the proxy ends.
        slow_seconds: how long a slow request or stretch of bytes waits.
        stretch_bytes: TCP only. Each direction of a connection is cut into stretches of random
            length up to this. A fault comes at the end of one, so that a connection that lives
            long is not spared.
    """

    kinds: Collection[str] = ()
    probability: float = 0.0
    seed: int = 0
    when: When | None = None
    slow_seconds: float = 0.2
    stretch_bytes: int = 32 * 1024
    dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Set up the dice."""
        self.dice = random.Random(self.seed)
        self.kinds = sorted(self.kinds)  # the order of a set changes from run to run

    def draw(self) -> str | None:
        """Draw the next fault, or None."""
        if not self.kinds or self.dice.random() >= self.probability:
            return None
        return self.dice.choice(self.kinds)

    def draw_stretch(self) -> int:
        """Draw how many bytes pass before the next fault is drawn."""
        return self.dice.randint(1, self.stretch_bytes)


@contextlib.asynccontextmanager
async def connect(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to the backend; in the end send what is buffered, unless something went wrong."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=LINE_LIMIT_BYTES)
    try:
        yield reader, writer
        writer.close()
        await writer.wait_closed()
    finally:
        writer.transport.abort()  # of no effect on a closed one


class FaultProxy(ABC):
    """What both proxies share: the thread, the connections and the counters.

    Attributes:
        faults: the faults now; assign None or others at any time.
        injected: how often each kind of fault happened.
        port: where the proxy listens (once entered).
        address: the same as `host:port`.
    """

    KINDS: frozenset[str]
    port: int

    def __init__(self, backend_port: int, faults: Faults | None = None) -> None:
        """Remember the settings; entering the context starts the proxy."""
        self.backend_port = backend_port
        self.faults = faults
        self.injected: Counter[str] = Counter()
        self._errors: list[Exception] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def faults(self) -> Faults | None:
        """The faults now."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults | None) -> None:
        if faults is not None:
            for kind in faults.kinds:
                self._check(kind)
        self._faults = faults

    @property
    def address(self) -> str:
        """Where the proxy listens, as `host:port`."""
        return f"{LOOPBACK}:{self.port}"

    def __enter__(self) -> Self:
        """Listen on a free port."""
        listener = socket.create_server((LOOPBACK, 0))
        self.port = listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        starting = asyncio.start_server(self._accept, sock=listener, limit=LINE_LIMIT_BYTES)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all connections, end the thread, raise what went wrong in it."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._errors:
            raise self._errors[0]

    async def _close(self) -> None:
        self._server.close()
        # More than once: a connection that was just accepted starts its task meanwhile.
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._handle(reader, writer))
        self._tasks.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._tasks.discard)
        # Here, for a task that is cancelled before its first step cannot do it.
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (OSError, EOFError):
            pass  # client or backend broke the connection: the other side sees it closed
        except Exception as error:
            self._errors.append(error)

    def _check(self, kind: str) -> None:
        if kind not in self.KINDS:
            raise ValueError(f"no such fault here: {kind!r}; there are {sorted(self.KINDS)}")

    @abstractmethod
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; returning closes it."""


class TcpFaultProxy(FaultProxy):
    """Passes bytes on, and drops connections (`drop`) or is slow (`slow`)."""

    KINDS = frozenset({"drop", "slow"})

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with connect(self.backend_port) as (backend_reader, backend_writer):
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._copy(reader, backend_writer))
                    both.create_task(self._copy(backend_reader, writer))
        except* OSError:
            writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        faults, left = None, 0
        while chunk := await reader.read(CHUNK_BYTES):
            while chunk:
                if left == 0 or faults is not self.faults:
                    faults = self.faults
                    left = faults.draw_stretch() if faults else sys.maxsize
                part, chunk = chunk[:left], chunk[left:]
                left -= len(part)
                writer.write(part)
                await writer.drain()
                if faults is None or left > 0 or (kind := faults.draw()) is None:
                    continue
                self.injected[kind] += 1
                if kind == "drop":
                    raise ConnectionAbortedError
                await asyncio.sleep(faults.slow_seconds)
        writer.write_eof()  # the other direction may still have something to say


@dataclass(frozen=True)
class Head:
    """The first line and the headers of a request or an answer."""

    raw: bytes
    words: list[str]
    headers: Message

    @property
    def keeps_open(self) -> bool:
        """Tell whether the connection may carry another request."""
        connection = self.headers.get("Connection", "").lower()
        if "HTTP/1.1" in self.words:
            return "close" not in connection
        return "keep-alive" in connection


async def read_head(reader: asyncio.StreamReader) -> Head:
    """Read up to the empty line."""
    raw = await reader.readuntil(b"\r\n\r\n")
    first, _, rest = raw.partition(b"\r\n")
    words = first.decode("latin-1").split(" ", 2)
    return Head(raw, words, http.client.parse_headers(io.BytesIO(rest)))


async def read_body(reader: asyncio.StreamReader, headers: Message) -> tuple[bytes, bytes] | None:
    """Read a body, as sent and without chunks; None where the headers tell no length."""
    if "chunked" not in headers.get("Transfer-Encoding", "").lower():
        if "Content-Length" not in headers:
            return None
        body = await reader.readexactly(int(headers["Content-Length"]))
        return body, body
    raw, pieces = [], []
    size = -1
    while size != 0:
        raw.append(await reader.readuntil(b"\r\n"))
        size = int(raw[-1].partition(b";")[0], 16)
        if size > 0:
            raw.append(await reader.readexactly(size + 2))
            pieces.append(raw[-1][:-2])
    while raw[-1] != b"\r\n":  # trailers, up to the empty line
        raw.append(await reader.readuntil(b"\r\n"))
    return b"".join(raw), b"".join(pieces)


class HttpFaultProxy(FaultProxy):
    """Passes HTTP/1.1 requests and answers on unchanged, each as a whole, unless a fault is due.

    `drop_before` closes the connection without passing the request on, `drop_after` once the
    backend has answered (the lost answer). `429`, `500` and `503` are answered in Google's words
    without passing on. `slow` waits before it passes on.
    """

    KINDS = frozenset({"drop_before", "drop_after", "slow", *ERROR_ANSWERS})

    @property
    def url(self) -> str:
        """Where the proxy listens, as a URL without a path."""
        return f"http://{self.address}"

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stays = True
        while stays:
            head = await read_head(reader)
            if head.headers.get("Expect", "").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # the body comes only after it
            raw, body = await read_body(reader, head.headers) or (b"", b"")
            faults = self.faults
            kind = self._choose(faults, head, body) if faults else None
            answer: bytes | None = None
            if kind in ERROR_ANSWERS:
                answer = error_answer(kind, head.words[0])
            elif kind != "drop_before":
                if faults and kind == "slow":
                    await asyncio.sleep(faults.slow_seconds)
                answer, stays = await self._ask_backend(head.words[0], head.raw + raw)
            if kind is not None:
                self.injected[kind] += 1  # before the client can see it
            if answer is None or kind == "drop_after":
                return
            writer.write(answer)
            await writer.drain()
            stays = stays and head.keeps_open

    def _choose(self, faults: Faults, head: Head, body: bytes) -> str | None:
        """Ask the predicate for the fault of this request, then the dice."""
        if faults.when is None:
            return faults.draw()
        try:
            # Google's Java client compresses what it sends.
            if head.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            kind = faults.when(head.words[0], head.words[1], body)
        except Exception as error:  # also those that a broken connection would raise
            raise RuntimeError("the predicate of the faults failed") from error
        if kind is None:
            return faults.draw()
        self._check(kind)
        return kind

    async def _ask_backend(self, method: str, request: bytes) -> tuple[bytes, bool]:
        """Pass the request on; give the answer, and whether the connection may stay open."""
        # Always a new connection: a kept one may just be closing, which would be one more fault.
        async with connect(self.backend_port) as (reader, writer):
            writer.write(request)
            await writer.drain()
            head = await read_head(reader)
            while head.words[1] == "100":  # the proxy has said so itself
                head = await read_head(reader)
            if method == "HEAD" or head.words[1] in ("204", "304"):
                return head.raw, head.keeps_open
            framed = await read_body(reader, head.headers)
            if framed is None:  # the end of the connection is the end of the answer
                return head.raw + await reader.read(), False
            return head.raw + framed[0], head.keeps_open


def error_answer(status: str, method: str) -> bytes:
    """Make the whole answer with which Google's APIs report an error."""
    reason, status_name = ERROR_ANSWERS[status]
    message = f"injected fault: {reason}"
    error = {
        "code": int(status),
        "message": message,
        "errors": [{"reason": reason, "message": message}],
        "status": status_name,
    }
    body = json.dumps({"error": error}).encode()
    head = (
        f"HTTP/1.1 {status} {http.client.responses[int(status)]}\r\n"
        "Content-Type: application/json; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)
