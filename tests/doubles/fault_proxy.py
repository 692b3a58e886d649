"""Make a local service fail at random, but reproducibly, for the clients that talk to it.

    with HttpFaultProxy(backend_port) as proxy:
        client = connect_to(proxy.url)
        proxy.faults = Faults({"503", "drop_after"}, probability=0.3, seed=7)
        ...
        proxy.faults = None
        assert proxy.injected["drop_after"]

A proxy lives in the calling process: an asyncio loop in a thread of its own. With several
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
from collections.abc import AsyncIterator, Callable, Iterable
from email.message import Message
from typing import Any, NamedTuple, Self

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

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class Faults:
    """Which faults to inject, and how often."""

    def __init__(
        self,
        kinds: Iterable[str] = (),
        probability: float = 0.0,
        seed: int = 0,
        when: Callable[[str, str, bytes], str | None] | None = None,
        slow_seconds: float = 0.2,
        stretch_bytes: int = 32 * 1024,
    ) -> None:
        """Set up the dice.

        Args:
            kinds: the faults to draw from, all as likely.
            probability: of a fault for each request (HTTP) or each stretch of bytes (TCP).
            seed: the same seed gives the same sequence of faults.
            when: HTTP only. Gets method, path with query, and body (without chunks or gzip) of
                each request, in the proxy's thread; names its fault, or gives None to leave it
                to the dice. What it raises is raised again when the proxy ends.
            slow_seconds: how long a slow request or stretch of bytes waits.
            stretch_bytes: TCP only. Each direction of a connection is cut into stretches of
                random length up to this. A fault comes at the end of one, so that a connection
                that lives long is not spared.
        """
        self.kinds = sorted(kinds)  # the order of a set changes from run to run
        self.probability = probability
        self.when = when
        self.slow_seconds = slow_seconds
        self.stretch_bytes = stretch_bytes
        self.dice = random.Random(seed)

    def draw(self) -> str | None:
        """Draw the next fault, or None."""
        is_due = self.dice.random() < self.probability
        return self.dice.choice(self.kinds) if is_due and self.kinds else None

    def draw_stretch(self) -> int:
        """Draw how many bytes pass before the next fault is drawn."""
        return self.dice.randint(1, self.stretch_bytes)


@contextlib.asynccontextmanager
async def streams(**where: Any) -> AsyncIterator[tuple[Reader, Writer]]:
    """Connect; in the end send what is buffered, unless something broke."""
    reader, writer = await asyncio.open_connection(limit=LINE_LIMIT_BYTES, **where)
    try:
        yield reader, writer
        with contextlib.suppress(ConnectionError):  # all that mattered has arrived
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

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        # Not `asyncio.start_server`: closing it loses connections that it is just accepting.
        self._loop.add_reader(self._listener, self._accept)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections, end the thread, raise what went wrong in it."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._errors:
            raise self._errors[0]

    async def _close(self) -> None:
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return  # the client has gone already
        connection.setblocking(False)
        task = self._loop.create_task(self._handle(connection))
        self._tasks.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._tasks.discard)
        # Not in the task: one that is cancelled before its first step would not come to it.
        task.add_done_callback(lambda _: connection.close())

    async def _handle(self, connection: socket.socket) -> None:
        try:
            async with streams(sock=connection) as (reader, writer):
                await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # client or backend ended the connection: the other side sees it closed
        except Exception as error:
            self._errors.append(error)

    def _connect(self) -> contextlib.AbstractAsyncContextManager[tuple[Reader, Writer]]:
        return streams(host=LOOPBACK, port=self.backend_port)

    def _check(self, kind: str | None) -> str | None:
        if kind is not None and kind not in self.KINDS:
            raise ValueError(f"no such fault here: {kind!r}; there are {sorted(self.KINDS)}")
        return kind

    @abstractmethod
    async def _converse(self, reader: Reader, writer: Writer) -> None:
        """Serve one connection; returning closes it."""


class TcpFaultProxy(FaultProxy):
    """Passes bytes on, and drops connections (`drop`) or is slow (`slow`)."""

    KINDS = frozenset({"drop", "slow"})

    async def _converse(self, reader: Reader, writer: Writer) -> None:
        try:
            async with (
                self._connect() as (backend_reader, backend_writer),
                asyncio.TaskGroup() as both,
            ):
                both.create_task(self._copy(reader, backend_writer))
                both.create_task(self._copy(backend_reader, writer))
        except* OSError:  # dropped here, or gone on either side, which ends both
            writer.transport.abort()

    async def _copy(self, reader: Reader, writer: Writer) -> None:
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
                if faults is None or left > 0 or (kind := self._check(faults.draw())) is None:
                    continue
                self.injected[kind] += 1
                if kind == "drop":
                    raise ConnectionAbortedError
                await asyncio.sleep(faults.slow_seconds)
        writer.write_eof()  # the other direction may still have something to say


class Head(NamedTuple):
    """The first line and the headers of a request or an answer."""

    raw: bytes
    words: list[str]
    headers: Message

    @property
    def keeps_open(self) -> bool:
        """Tell whether the connection may carry another request."""
        default = "keep-alive" if "HTTP/1.1" in self.words else "close"
        return "close" not in self.headers.get("Connection", default).lower()


async def read_head(reader: Reader) -> Head:
    """Read up to the empty line."""
    raw = await reader.readuntil(b"\r\n\r\n")
    first, _, rest = raw.partition(b"\r\n")
    words = first.decode("latin-1").split(" ", 2)
    return Head(raw, words, http.client.parse_headers(io.BytesIO(rest)))


async def read_body(reader: Reader, headers: Message) -> tuple[bytes, bytes] | None:
    """Read a body, as sent and without chunks; None where the headers tell no length."""
    if "chunked" not in headers.get("Transfer-Encoding", "").lower():
        if "Content-Length" not in headers:
            return None
        body = await reader.readexactly(int(headers["Content-Length"]))
        return body, body
    raw, pieces, size = [], [], -1
    while size != 0:
        raw.append(await reader.readuntil(b"\r\n"))
        size = int(raw[-1].partition(b";")[0], 16)
        if size > 0:
            raw.append(await reader.readexactly(size + 2))
            pieces.append(raw[-1][:-2])
    while raw[-1] != b"\r\n":  # trailers, up to the empty line
        raw.append(await reader.readuntil(b"\r\n"))
    return b"".join(raw), b"".join(pieces)


def error_answer(status: str, method: str) -> bytes:
    """Make the whole answer with which Google's APIs report an error."""
    reason, name = ERROR_ANSWERS[status]
    detail = {"reason": reason, "message": "injected fault"}
    error = {"code": int(status), "message": "injected fault", "errors": [detail], "status": name}
    body = json.dumps({"error": error}).encode()
    head = (
        f"HTTP/1.1 {status} {http.client.responses[int(status)]}\r\n"
        f"Content-Type: application/json; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)


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
        return f"http://{LOOPBACK}:{self.port}"

    async def _converse(self, reader: Reader, writer: Writer) -> None:
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
        kind = None
        if faults.when:
            if head.headers.get("Content-Encoding") == "gzip":  # so sends Google's Java client
                body = gzip.decompress(body)
            kind = faults.when(head.words[0], head.words[1], body)
        return self._check(kind or faults.draw())

    async def _ask_backend(self, method: str, request: bytes) -> tuple[bytes, bool]:
        """Pass the request on; give the answer, and whether the connection may stay open."""
        # Always a new connection: a kept one may just be closing, which would be one more fault.
        async with self._connect() as (reader, writer):
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
