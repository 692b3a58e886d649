"""Raises alarms from dated samples, on this machine, and publishes their tables."""

import argparse
import shlex
from dataclasses import dataclass
from datetime import date, datetime

from anomaly import AlarmRequest, Profile, load_profile
from anomaly.alarms.detection import rules_of
from anomaly.errors import ConfigurationError
from anomaly.pipeline.detection import alarm_results_of
from anomaly.pipeline.nodes import Request
from anomaly.pipeline.output_tables import table_columns
from anomaly.schema.inputs import HISTORY, SAMPLES
from anomaly.schema.tables import ALARMS_TABLE, ANOMALIES_TABLE, REJECTED_TABLE, SUMMARY_TABLE
from runners.engines.choice import choose, start
from runners.services.limits import check_alarm_limits
from runners.services.materializer import Materializer
from runners.services.outcome import Outcome
from runners.services.pipeline_run import Finished, new_run, publish, refusing
from runners.services.progress import DESTINATION, ENGINE, INPUTS, Progress
from runners.services.run_summary import RunSummary
from runners.services.sessions import work_at
from runners.services.terminal import Terminal
from runners.services.times_of_run import find_times, times_of_alarms
from runners.storage.destination import Storage
from runners.storage.inputs import read_input
from runners.storage.places import destination_of, keep_apart, storages_of

TABLES = (REJECTED_TABLE, ALARMS_TABLE, ANOMALIES_TABLE, SUMMARY_TABLE)


@dataclass(frozen=True)
class AlarmInputs:
    """Where samples and baseline samples are, and the time from which they are judged."""

    samples: str
    history: str | None = None
    start: datetime | None = None


def run(options: argparse.Namespace) -> None:
    """Raise the alarms, publish them, and print the newest."""
    profile = load_profile(options.profile)
    inputs = AlarmInputs(options.samples, options.history, options.start)
    out = destination_of(options.out)
    terminal = Terminal.of(options)
    with terminal.following() as following:
        finished = run_alarms(
            profile,
            inputs,
            out,
            options.run_date,
            options.master,
            options.engine,
            following.progress(""),
        )
    known = ["--truth", "EVENTS.csv", "--alarms", options.out]
    next_command = shlex.join(["cell-tower-anomaly", "evaluate", *known])
    terminal.show(
        Outcome(
            finished.summary,
            finished.place_of_tables,
            next_command=next_command,
            judges_cells=False,
        )
    )


def run_alarms(
    profile: Profile,
    inputs: AlarmInputs,
    out: Storage,
    run_date: date,
    master: str | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Finished:
    """One run for alarms. Raises AnomalyError, and then leaves the previous output as it was."""
    places = {SAMPLES: inputs.samples} | ({HISTORY: inputs.history} if inputs.history else {})
    if out.folder is None:
        raise ConfigurationError(f"--out {out}", ["alarms go to a folder or to gs://"])
    rules_of(profile)
    keep_apart(places, out)
    progress, run = progress or Progress(), new_run(run_date)
    progress.begin(ENGINE)
    work = work_at(out, reads=storages_of(places))
    chosen = choose(engine, work, master)
    spark = start(chosen, work, master)
    progress.done(ENGINE, detail=chosen)
    progress.begin(DESTINATION)
    with out.destination(spark, run, table_columns(profile, TABLES)) as destination:
        progress.done(DESTINATION)
        progress.begin(INPUTS)
        narrow = profile.for_alarms()
        # Both have the columns of samples.
        raw = {name: read_input(spark, SAMPLES, path, narrow) for name, path in places.items()}
        times = times_of_alarms(find_times(raw[SAMPLES], profile), profile)
        progress.done(INPUTS)
        with Materializer(destination, progress) as frames:
            alarms = AlarmRequest(raw.get(HISTORY), inputs.start)
            request = Request(narrow, run, times, alarms)
            results = alarm_results_of(raw[SAMPLES], request, frames.materialize, frames.submit)
            progress.begin(SUMMARY_TABLE)
            summary = RunSummary(results.summary.collect())
        with refusing(frames.stored[REJECTED_TABLE], out, progress) as rejections:
            check_alarm_limits(summary, profile, rejections, places)
        return publish(destination, summary, profile, run, progress)
