"""Runs the pipeline on this machine: reads, detects, stages, checks, publishes, reports."""

import sys
import uuid
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, Row

from anomaly import AnomalyError, Profile, Run, detect
from anomaly.contracts import (
    CALL_STATISTICS,
    CELL_TABLE,
    CUSTOMER_TABLE,
    CUSTOMERS,
    REJECTED_TABLE,
    SAMPLES,
    SUMMARY_TABLE,
)
from anomaly.errors import ConfigurationError, InputError
from runners.session import local_session
from runners.storage import INTERMEDIATE_PREFIX, ParquetDestination, read_input

STAGED = (REJECTED_TABLE, CUSTOMER_TABLE, CELL_TABLE, SUMMARY_TABLE)
# Reading these back from Parquet also ends the plan there; a persisted frame's plan stays whole,
# and Spark compares it again at each later step, which takes longer than writing it.
INTERMEDIATE = ("joined", "judged")


def run_locally(
    profile: Profile,
    inputs: dict[str, str],
    out: str,
    run_date: date,
    master: str | None = None,
) -> list[Row]:
    """One run; returns the rows of its summary. Raises AnomalyError, the previous output whole."""
    for source, path in inputs.items():
        if Path(path).resolve() == Path(out).resolve():
            raise ConfigurationError("--out", [f"is the folder of the {source} input: {path}"])
    spark = local_session(master)
    run = Run(run_date, uuid.uuid4().hex[:12])
    destination = ParquetDestination(spark, out, run.run_id)

    def keep(name: str, frame: DataFrame) -> DataFrame:
        if name in STAGED:
            print(f"[{name}]", file=sys.stderr)
            return destination.stage(name, frame)
        if name in INTERMEDIATE:
            return destination.stage(f"{INTERMEDIATE_PREFIX}{name}", frame)
        return frame.persist()

    try:
        raw = [
            read_input(spark, source, inputs[source], profile)
            for source in (CUSTOMERS, SAMPLES, CALL_STATISTICS)
        ]
        results = detect(*raw, profile, run, keep)
        summary = results.run_summary.collect()
        check_limits(summary, profile)
        destination.publish()
    except AnomalyError:
        destination.discard()
        raise
    return summary


def check_limits(summary: list[Row], profile: Profile) -> None:
    """Raises InputError where nothing was usable, or the profile's limits are passed."""

    def total(section: str, subject: str, item: str) -> float:
        return sum(
            row.value
            for row in summary
            if (row.section, row.subject, row.item) == (section, subject, item)
        )

    for source in (CUSTOMERS, SAMPLES, CALL_STATISTICS):
        rows = total("input", source, "rows in")
        if not total("input", source, "rows clean"):
            raise InputError(f"{source}: none of {rows:.0f} rows can be used; see the input")
        left_out = sum(
            total("rejected", source, reason)
            for reason in ("filtered_by_profile", "beyond_row_limit")
        )
        share = (total("input", source, "rows rejected") - left_out) / rows
        if share > profile.limits.largest_rejected_share:
            raise InputError(
                f"{source}: {share:.1%} of the rows were rejected, more than the profile's "
                f"largest_rejected_share of {profile.limits.largest_rejected_share:.1%}"
            )
    customers = total("join", "all inputs", "customers")
    matched = total("join", "all inputs", "matched customers") / customers if customers else 0.0
    if matched < profile.limits.smallest_match_rate:
        raise InputError(
            f"{matched:.1%} of the customers have samples and call statistics, fewer than the "
            f"profile's smallest_match_rate of {profile.limits.smallest_match_rate:.1%}"
        )


def report(summary: list[Row], out: str) -> str:
    """What a person reads at the end: the towers to visit, worst first, and the tables' place."""
    worst = sorted((row for row in summary if row.section == "worst"), key=lambda row: row.value)
    lines = (
        ["Towers that need maintenance, worst first:"] if worst else ["No tower needs maintenance."]
    )
    for row in worst:
        lines.append(f"{row.value:4.0f}  {row.subject}  {row.item} KPIs: {row.detail}")
    lines.append(f"Tables: {Path(out).resolve()}")
    return "\n".join(lines)
