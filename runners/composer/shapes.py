"""How a run is split into batches, and which of them reads what."""

from collections.abc import Mapping
from dataclasses import dataclass

from runners.composer.run_settings import INPUTS


@dataclass(frozen=True)
class Stage:
    """What a stage reads (raw inputs, and what earlier stages left), and whether it publishes."""

    inputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    publishes: bool = False


WITH_SAMPLES, WITH_CALLS = "customers-with-samples", "with-call-statistics"
OF_CUSTOMERS, OF_CELLS = "customer-metrics", "cell-metrics"
# Each is a stage of `runners/dataproc/batch.py`, and a task. Dashes alone in all ids of tasks: they
# become labels of the batches, and underscores were refused there.
SHAPES = {
    "staged": {
        WITH_SAMPLES: Stage(inputs=("customers", "samples")),
        WITH_CALLS: Stage(inputs=("calls",), after=(WITH_SAMPLES,)),
        OF_CUSTOMERS: Stage(after=(WITH_CALLS,)),
        OF_CELLS: Stage(after=(WITH_SAMPLES, WITH_CALLS)),
        "publish": Stage(after=(WITH_SAMPLES, WITH_CALLS, OF_CUSTOMERS, OF_CELLS), publishes=True),
    },
    "single": {"single": Stage(inputs=INPUTS, publishes=True)},
}


def nearest(stage: Stage, stages: Mapping[str, Stage]) -> list[str]:
    """The stages that a stage reads, but for those that others of them stand after already."""
    earlier = {before for one in stage.after for before in stages[one].after}
    return [one for one in stage.after if one not in earlier]
