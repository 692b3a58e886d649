"""The pipeline in stages, each of which can run in a process of its own, on another day.

Each is a part of the same graph: it makes some frames from its raw inputs and from the results of
earlier stages.
"""

from dataclasses import dataclass

from anomaly.run import Frame
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES


@dataclass(frozen=True)
class Stage:
    """What a stage reads (raw inputs, and frames of earlier stages), and the frames it writes.

    Frames that a run does not make (alarms of undated samples) are written by no stage. A frame
    that several stages write has the rows of all of them.
    """

    inputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()


WITH_SAMPLES, WITH_CALLS = "customers-with-samples", "with-call-statistics"
CUSTOMER_METRICS, CELL_METRICS, PUBLISH = "customer-metrics", "cell-metrics", "publish"

STAGES = {
    WITH_SAMPLES: Stage(
        inputs=(CUSTOMERS, SAMPLES, HISTORY),
        frames=(
            Frame.WITH_SAMPLES,
            Frame.ANOMALIES,
            Frame.ALARMS,
            Frame.ALARM_FIGURES,
            Frame.REJECTED,
            Frame.INPUT_FIGURES,
        ),
    ),
    WITH_CALLS: Stage(
        inputs=(CALL_STATISTICS,),
        after=(WITH_SAMPLES,),
        frames=(
            Frame.JOINED,
            Frame.CELL_METRICS,
            Frame.LIMITS,
            Frame.REJECTED,
            Frame.INPUT_FIGURES,
        ),
    ),
    CUSTOMER_METRICS: Stage(after=(WITH_CALLS,), frames=(Frame.CUSTOMERS,)),
    CELL_METRICS: Stage(after=(WITH_SAMPLES, WITH_CALLS), frames=(Frame.CELLS,)),
    PUBLISH: Stage(
        after=(WITH_SAMPLES, WITH_CALLS, CUSTOMER_METRICS, CELL_METRICS), frames=(Frame.SUMMARY,)
    ),
}
