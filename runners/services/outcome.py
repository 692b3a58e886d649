"""What a command shows at its end: the summary, where the tables are, and what to do next."""

from dataclasses import dataclass
from typing import Any

from anomaly.run import MADE_UP
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from anomaly.schema.tables import CELL_LEVEL
from anomaly.summary.account import ALL_INPUTS, CUSTOMERS_READ, MATCHED_CUSTOMERS
from runners.services.run_summary import ENGINE, NamedCell, RunSummary

SOURCES = (CUSTOMERS, SAMPLES, HISTORY, CALL_STATISTICS)


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    tables: where its tables are. page: the address of its report, if there is one. next_command: a
    command to try next. judges_cells: False if the run only raised alarms.
    """

    summary: RunSummary
    tables: str
    is_made_up: bool = False
    page: str = ""
    next_command: str = ""
    judges_cells: bool = True

    def as_json(self) -> dict[str, Any]:
        """The outcome for scripts.

        run_date, run_id, profile and engine: of the run. made_up: whether its data was.
        cells: how many there are (total), are required to be visited and could not be judged.
        to_visit and near_misses: cells, worst first, each with rank, cell, fails, reason, customers
        and since. inputs: by input rows, rows_used, rows_rejected, and values_left_out of the rows
        that are used. customers: read, and matched with samples and call statistics.
        not_judged: cells by the reason. out_of_reach: KPIs whose limit no value can pass.
        alarms: raised, active, from, until, cell_days and newest (cell, severity, reason); null if
        none were judged. tables, report and next: addresses and a command, null if there is none.
        """
        summary = self.summary
        of_cells = {
            "cells": {
                "total": summary.cell_count,
                "required": summary.required,
                "not_judged": summary.not_judged,
            },
            "to_visit": [_cell(one) for one in summary.to_visit],
            "near_misses": [_cell(one) for one in summary.near_misses],
            "customers": {
                "read": int(summary.total("join", ALL_INPUTS, CUSTOMERS_READ)),
                "matched": int(summary.total("join", ALL_INPUTS, MATCHED_CUSTOMERS)),
            },
            "not_judged": {row.item: int(row.value) for row in summary.of("not_judged")},
            "out_of_reach": sorted(row.item for row in summary.of("out_of_reach", CELL_LEVEL)),
        }
        first = summary.rows[0]
        return {
            "run_date": str(first.run_date),
            "run_id": first.run_id,
            "profile": first.profile,
            "engine": next((row.subject for row in summary.of(ENGINE)), None),
            "made_up": str(first.run_id).startswith(MADE_UP),
            **(of_cells if self.judges_cells else {}),
            "inputs": {
                source: {
                    "rows": int(summary.rows_in(source)),
                    "rows_used": int(summary.rows_clean(source)),
                    "rows_rejected": int(summary.rows_in(source) - summary.rows_clean(source)),
                    "values_left_out": int(summary.values_left_out(source)),
                }
                for source in SOURCES
                if summary.of("input", source)
            },
            "alarms": _alarms(summary),
            "tables": self.tables,
            "report": self.page or None,
            "next": self.next_command or None,
        }


def _cell(cell: NamedCell) -> dict[str, Any]:
    return {
        "rank": cell.rank,
        "cell": cell.name,
        "fails": cell.fails,
        "reason": cell.reason,
        "customers": cell.customers,
        "since": cell.since,
    }


def _alarms(summary: RunSummary) -> dict[str, Any] | None:
    alarms = summary.alarms
    if alarms is None:
        return None
    return {
        "raised": int(alarms.raised),
        "active": int(alarms.active),
        "from": alarms.begin,
        "until": alarms.until,
        "cell_days": alarms.cell_days,
        "newest": [
            {"cell": row.subject, "severity": row.item, "reason": row.detail}
            for row in alarms.named
        ],
    }
