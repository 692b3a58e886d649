"""How a run is split into batches, and what each of them reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from runners.composer.run_settings import INPUTS


@dataclass(frozen=True)
class Stage:
    """What a stage reads (raw inputs, results of earlier stages), and whether it publishes."""

    inputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    publishes: bool = False


WITH_SAMPLES, WITH_CALLS = "customers-with-samples", "with-call-statistics"
CUSTOMER_METRICS, CELL_METRICS = "customer-metrics", "cell-metrics"
# Each is a stage of `runners/dataproc/batch.py`, and a task. Task ids contain only dashes, because
# they become labels of the batches, where underscores were refused.
SHAPES = {
    "staged": {
        WITH_SAMPLES: Stage(inputs=("customers", "samples")),
        WITH_CALLS: Stage(inputs=("calls",), after=(WITH_SAMPLES,)),
        CUSTOMER_METRICS: Stage(after=(WITH_CALLS,)),
        CELL_METRICS: Stage(after=(WITH_SAMPLES, WITH_CALLS)),
        "publish": Stage(
            after=(WITH_SAMPLES, WITH_CALLS, CUSTOMER_METRICS, CELL_METRICS), publishes=True
        ),
    },
    "single": {"single": Stage(inputs=INPUTS, publishes=True)},
}


def nearest(stage: Stage, stages: Mapping[str, Stage]) -> list[str]:
    """The direct predecessors of a stage: those that no other predecessor already depends on."""
    earlier = {before for one in stage.after for before in stages[one].after}
    return [one for one in stage.after if one not in earlier]
