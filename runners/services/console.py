"""What a person sees in the terminal: the stages as they end, and the cells to visit."""

import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock

from pyspark.sql import Row

from anomaly.summary.account import NOT_JUDGED
from anomaly.thresholds.verdict import REQUIRED

NEWEST_SHOWN = 10
MADE_UP_WORDS = "MADE-UP SAMPLE DATA: none of this was measured in a network"
UNABLE = ("out_of_reach", "cell")
WIDTH, INDENT = 100, " " * 8


class Progress:
    """Reports each stage as it ends, with its rows and the seconds it took.

    tells_persons: whether a message may name customers and what their rows say.
    """

    tells_persons = True

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()
        # A run reports from two threads.
        self._lock = Lock()

    def done(
        self,
        stage: str,
        rows: int | None = None,
        began: float | None = None,
        in_background: bool = False,
    ) -> None:
        """Report the end of a stage.

        It began at `began`, or else when the previous stage ended; a stage in the background is
        never the previous one.
        """
        with self._lock:
            now = time.monotonic()
            seconds = now - (self._last if began is None else began)
            self.seconds[stage] = seconds
            if not in_background:
                self._last = now
            self.tell(stage, rows, seconds)

    def tell(self, stage: str, rows: int | None, seconds: float) -> None:
        """Print one line to stderr."""
        counted = "" if rows is None else f"{rows:12,} rows"
        # A terminal that cannot be written to is no reason to stop. Spark's progress bar leaves
        # the cursor in the middle of its line.
        with suppress(OSError):
            print(f"\r{stage:32}{counted:>18}{seconds:8.1f} s", file=sys.stderr)


def report(summary: Sequence[Row], place_of_tables: str, is_made_up: bool = False) -> str:
    """The cells that need maintenance, worst first, the alarms, and where the tables are."""
    worst, required = worst_towers(summary), required_towers(summary)
    lines = [MADE_UP_WORDS] if is_made_up else []
    lines.append(f"{headline(summary)}{'; worst first:' * bool(worst)}")
    for row in worst:
        lines.append(f"{row.value:4.0f}  {row.subject}  {row.item}")
        lines += wrapped(row.detail)
    if required > len(worst):
        lines.append(f"      and {required - len(worst)} more, in the table")
    unable = [row.item for row in summary if (row.section, row.subject) == UNABLE]
    if unable:
        lines.append(f"Limits that no value of a cell can reach: {', '.join(sorted(unable))}")
    lines += alarm_lines(summary)
    lines.append(f"Tables: {place_of_tables}")
    return "\n".join(lines)


def wrapped(sentence: str) -> list[str]:
    """A sentence wrapped and indented, to stand below its heading."""
    return textwrap.wrap(sentence, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def headline(summary: Sequence[Row]) -> str:
    """How many cells need maintenance, and how many could not be judged."""
    cells = _figure(summary, "kpi", "cell", "rows")
    unknown = _figure(summary, "verdict", "cell", NOT_JUDGED)
    not_judged = f", {unknown} could not be judged" if unknown else ""
    required = required_towers(summary)
    verb = "needs" if required == 1 else "need"
    return f"{required} of {cells} cells {verb} maintenance{not_judged}"


def required_towers(summary: Sequence[Row]) -> int:
    """The number of cells that need maintenance."""
    return _figure(summary, "verdict", "cell", REQUIRED)


def worst_towers(summary: Sequence[Row]) -> list[Row]:
    """The cells to visit, worst first: rank, cell, what fails and why (value to detail)."""
    worst = (row for row in summary if row.section == "worst")
    return sorted(worst, key=lambda row: (row.value, row.subject))


def _figure(summary: Sequence[Row], *name: str) -> int:
    """The count that has this section, subject and item; 0 where there is none."""
    found = (row.value for row in summary if (row.section, row.subject, row.item) == name)
    return int(next(found, 0))


def report_of_alarms(summary: Sequence[Row], place_of_tables: str) -> str:
    """The alarms, and where the tables are."""
    return "\n".join((*alarm_lines(summary), f"Tables: {place_of_tables}"))


def alarm_lines(summary: Sequence[Row]) -> list[str]:
    """How many alarms were raised, then the active and the newest ones; empty if none was judged.

    The summary has the alarms in this order.
    """
    figures = {(row.section, row.subject, row.item): row for row in summary}
    if ("alarms", "judged", "cell days") not in figures:
        return []
    named = sorted((row for row in summary if row.section == "alarm"), key=lambda row: row.value)
    shown = named[:NEWEST_SHOWN]

    def raised(item: str) -> float:
        found = figures.get(("alarms", "raised", item))
        return found.value if found else 0

    count = raised("CRIT") + raised("WARN")
    days = figures["alarms", "judged", "cell days"].value
    begin, end = (figures["alarms", "judged", side].detail for side in ("from", "until"))
    lines = [
        f"{count:.0f} alarm{'s' * (count != 1)} in {days:.1f} cell days, "
        f"from {begin} to {end} UTC; {raised('standing'):.0f} active"
        f"{'; active ones first, then the newest:' * bool(shown)}"
    ]
    for row in shown:
        first, *others = wrapped(row.detail)
        lines += [f"  {row.item}  {first.strip()}", *others]
    if count > len(shown):
        lines.append(f"      and {count - len(shown):.0f} more, in the table")
    return lines
