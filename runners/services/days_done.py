"""What a backfill shows at its end: each day with the result of its run, or why there was none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from runners.services.console import headline
from runners.services.plurals import counted
from runners.services.run_summary import RunSummary

AS_PUBLISHED = "as published"


@dataclass(frozen=True)
class DayDone:
    """A day, the reasons for which it was run, and the summary; without any it was left as it was.

    A day that was left has no summary.
    """

    day: date
    reasons: Sequence[str]
    summary: RunSummary | None = None

    @property
    def words(self) -> tuple[str, str]:
        """Why the day was run, and its result."""
        result = headline(self.summary) if self.summary else ""
        return "; ".join(self.reasons) or AS_PUBLISHED, result


@dataclass(frozen=True)
class DaysDone:
    """All days of a backfill, where their tables are, and the command to try next."""

    days: Sequence[DayDone]
    tables: str
    next_command: str

    @property
    def headline(self) -> str:
        """How many days were run."""
        run = sum(bool(one.reasons) for one in self.days)
        left = len(self.days) - run
        others = f", {left:,} left as published" if left else ""
        return f"{run:,} of {counted(len(self.days), 'day')} run{others}"

    def as_json(self) -> dict[str, Any]:
        """The days for scripts.

        days: each with its date as `run_date`, the reasons for which it was run (none if it was
        left as published), and the number of cells: total, required, not_judged (null if it was
        left). tables and next: an address and a command.
        """
        return {
            "days": [
                {
                    "run_date": str(one.day),
                    "reasons": [*one.reasons],
                    "cells": one.summary
                    and {
                        "total": one.summary.cell_count,
                        "required": one.summary.required,
                        "not_judged": one.summary.not_judged,
                    },
                }
                for one in self.days
            ],
            "tables": self.tables,
            "next": self.next_command,
        }

    def plain_text(self) -> str:
        """The days that were run, a line each."""
        lines = [self.headline]
        for one in self.days:
            if one.reasons:
                why, result = one.words
                lines.append(f"  {one.day}  {result} ({why})")
        return "\n".join((*lines, f"Tables: {self.tables}", f"Next: {self.next_command}"))
