"""What a person sees in the terminal: the stages as they end, and the cells to visit."""

import sys
import textwrap
import time
from contextlib import suppress
from threading import Lock

from anomaly.schema.tables import CELL_LEVEL
from runners.services.run_summary import RunSummary

NEWEST_SHOWN = 10
MADE_UP_WORDS = "MADE-UP SAMPLE DATA: none of this was measured in a network"
WIDTH, INDENT = 100, " " * 8


class Progress:
    """Reports each stage as it ends, with its rows and the seconds it took.

    tells_persons: whether a message may name customers and what their rows say.
    """

    tells_persons = True

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()
        # A run reports from several threads.
        self._lock = Lock()

    def done(
        self, stage: str, rows: int | None = None, began: float | None = None, detail: object = ""
    ) -> None:
        """Report the end of a stage, with a detail.

        It began at `began`, beside others, or else when the previous stage ended.
        """
        with self._lock:
            now = time.monotonic()
            seconds = now - (self._last if began is None else began)
            self.seconds[stage] = seconds
            self._last = now
            self.tell(f"{stage}: {detail}" if detail else stage, rows, seconds)

    def tell(self, stage: str, rows: int | None, seconds: float) -> None:
        """Print one line to stderr."""
        counted = "" if rows is None else f"{rows:12,} rows"
        # A terminal that cannot be written to is no reason to stop. Spark's progress bar leaves
        # the cursor in the middle of its line.
        with suppress(OSError):
            print(f"\r{stage:32}{counted:>18}{seconds:8.1f} s", file=sys.stderr)


def report(summary: RunSummary, place_of_tables: str, is_made_up: bool = False) -> str:
    """The cells that need maintenance, worst first, the alarms, and where the tables are."""
    worst, required = summary.worst, summary.required
    lines = [MADE_UP_WORDS] if is_made_up else []
    lines.append(f"{headline(summary)}{'; worst first:' * bool(worst)}")
    for row in worst:
        lines.append(f"{row.value:4.0f}  {row.subject}  {row.item}")
        lines += wrapped(row.detail)
    if required > len(worst):
        lines.append(f"      and {required - len(worst)} more, in the table")
    if unable := [row.item for row in summary.of("out_of_reach", CELL_LEVEL)]:
        lines.append(f"Limits that no value of a cell can reach: {', '.join(sorted(unable))}")
    lines += alarm_lines(summary)
    lines.append(f"Tables: {place_of_tables}")
    return "\n".join(lines)


def wrapped(sentence: str) -> list[str]:
    """A sentence wrapped and indented, to stand below its heading."""
    return textwrap.wrap(sentence, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def headline(summary: RunSummary) -> str:
    """How many cells need maintenance, and how many could not be judged."""
    required, unknown = summary.required, summary.not_judged
    not_judged = f", {unknown} could not be judged" if unknown else ""
    verb = "needs" if required == 1 else "need"
    return f"{required} of {summary.cell_count} cells {verb} maintenance{not_judged}"


def report_of_alarms(summary: RunSummary, place_of_tables: str) -> str:
    """The alarms, and where the tables are."""
    return "\n".join((*alarm_lines(summary), f"Tables: {place_of_tables}"))


def alarm_lines(summary: RunSummary) -> list[str]:
    """How many alarms were raised, then the active and the newest ones; empty if none was judged.

    The summary has the alarms in this order.
    """
    alarms = summary.alarms
    if alarms is None:
        return []
    shown = alarms.named[:NEWEST_SHOWN]
    lines = [
        f"{alarms.raised:.0f} alarm{'s' * (alarms.raised != 1)} in {alarms.cell_days:.1f} cell "
        f"days, from {alarms.begin} to {alarms.until} UTC; {alarms.active:.0f} active"
        f"{'; active ones first, then the newest:' * bool(shown)}"
    ]
    for row in shown:
        first, *others = wrapped(row.detail)
        lines += [f"  {row.item}  {first.strip()}", *others]
    if alarms.raised > len(shown):
        lines.append(f"      and {alarms.raised - len(shown):.0f} more, in the table")
    return lines
