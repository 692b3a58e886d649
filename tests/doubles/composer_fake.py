"""Cloud Composer on this machine: as much of its service as tells where an environment's DAGs lie.

with ComposerFake({NAME: Environment(...)}) as fake:
    client = EnvironmentsClient(transport=EnvironmentsGrpcTransport(
        channel=grpc.insecure_channel(fake.address)))
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import grpc
from google.cloud.orchestration.airflow.service_v1 import Environment, GetEnvironmentRequest
from grpc import StatusCode

from tests.doubles.tls_terminator import LOOPBACK

SERVICE = "google.cloud.orchestration.airflow.service.v1.Environments"


class ComposerFake:
    """The service, on a free port of this machine.

    Attributes:
        address: `127.0.0.1:PORT` (once entered).
        requests: the names of the environments that were asked for.
        refusals: statuses to answer with; each is taken out when it happens.
    """

    address: str

    def __init__(self, environments: Mapping[str, Environment]) -> None:
        """Know these environments by their full names."""
        self.requests: list[str] = []
        self.refusals: list[StatusCode] = []
        self._environments = environments

    def __enter__(self) -> Self:
        """Serve on a free port."""
        self._server = grpc.server(ThreadPoolExecutor(max_workers=1))
        handler = grpc.unary_unary_rpc_method_handler(
            self._get_environment, GetEnvironmentRequest.deserialize, Environment.serialize
        )
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE, {"GetEnvironment": handler})]
        )
        self.address = f"{LOOPBACK}:{self._server.add_insecure_port(f'{LOOPBACK}:0')}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._server.stop(None).wait()

    def _get_environment(
        self, request: GetEnvironmentRequest, context: grpc.ServicerContext
    ) -> Environment:
        self.requests.append(request.name)
        if self.refusals:
            context.abort(self.refusals.pop(0), "injected refusal")
        if request.name not in self._environments:
            context.abort(StatusCode.NOT_FOUND, f"Not found: {request.name}")
        return self._environments[request.name]
