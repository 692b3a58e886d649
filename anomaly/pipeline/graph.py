"""A graph of transforms, declared once and run whole or in part. It starts no job."""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from pyspark.sql import DataFrame

from anomaly.run import Frame, Keep, leave_lazy

Request = TypeVar("Request")
# Has a frame made, now or by another thread; tasks that wait for others come after them.
Submit = Callable[[Callable[[], DataFrame]], Future[DataFrame]]


def at_once(work: Callable[[], DataFrame]) -> Future[DataFrame]:
    """A `submit` that makes each frame in turn."""
    future: Future[DataFrame] = Future()
    future.set_result(work())
    return future


@dataclass(frozen=True)
class Node(Generic[Request]):
    """How one frame is made from others: `transform(request, *inputs, *optional)`.

    A frame needs all of its `inputs`; without any, it needs at least one of its `optional` frames.
    Missing optional frames are passed as None. `when` tells for which requests it is made at all.
    """

    output: Frame
    transform: Callable[..., DataFrame]
    inputs: tuple[Frame, ...] = ()
    optional: tuple[Frame, ...] = ()
    when: Callable[[Request], bool] = lambda request: True

    def can_run(self, request: Request, available: Collection[Frame]) -> bool:
        """Whether the frame can be made from those that are available."""
        return (
            self.when(request)
            and all(name in available for name in self.inputs)
            and (bool(self.inputs) or any(name in available for name in self.optional))
        )


class Graph(Generic[Request]):
    """Nodes, each after those that make its inputs."""

    def __init__(self, *nodes: Node[Request]) -> None:
        self.nodes = nodes

    def make(
        self,
        wanted: Iterable[Frame],
        given: Mapping[Frame, DataFrame],
        request: Request,
        keep: Keep = leave_lazy,
        submit: Submit = at_once,
    ) -> dict[Frame, DataFrame]:
        """The given frames, the wanted ones, and those needed to make them.

        A wanted frame that cannot be made from the given ones is left out. Each new frame goes
        through `keep`, which returns the frame to go on with. `submit` may make those that do not
        need each other side by side.
        """
        frames = {name: at_once(partial(_itself, frame)) for name, frame in given.items()}
        for node in self._needed(wanted, given, request):
            inputs = [frames.get(name) for name in (*node.inputs, *node.optional)]
            frames[node.output] = submit(partial(_made, node, request, inputs, keep))
        return {name: frame.result() for name, frame in frames.items()}

    def _needed(
        self, wanted: Iterable[Frame], given: Collection[Frame], request: Request
    ) -> list[Node[Request]]:
        available, possible = set(given), []
        for node in self.nodes:
            if node.output not in available and node.can_run(request, available):
                available.add(node.output)
                possible.append(node)
        asked, needed = set(wanted), []
        for node in reversed(possible):
            if node.output in asked:
                asked.update(node.inputs, node.optional)
                needed.append(node)
        return needed[::-1]


def _itself(frame: DataFrame) -> DataFrame:
    return frame


def _made(
    node: Node[Request], request: Request, inputs: Iterable[Future[DataFrame] | None], keep: Keep
) -> DataFrame:
    frames = (None if frame is None else frame.result() for frame in inputs)
    return keep(node.output, node.transform(request, *frames))
