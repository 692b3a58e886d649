"""What a command prints at its end, as plain text, and the sentences that every form of it has."""

import re
import textwrap

from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from anomaly.schema.tables import CELL_LEVEL, REJECTED_TABLE
from anomaly.summary.account import ALL_INPUTS, CUSTOMERS_READ, MATCHED_CUSTOMERS
from runners.services.limits import WHY_NOT_JUDGED
from runners.services.outcome import Outcome
from runners.services.plurals import counted
from runners.services.run_summary import NamedCell, RunSummary

NEWEST_SHOWN, NEAR_MISSES_SHOWN = 10, 5
MADE_UP_WORDS = "MADE-UP SAMPLE DATA: none of this was measured in a network"
WIDTH, INDENT = 100, " " * 8
NOUNS = {
    CUSTOMERS: ("customer", "customers"),
    SAMPLES: ("sample", "samples"),
    HISTORY: ("older sample", "older samples"),
    CALL_STATISTICS: ("row of call statistics", "rows of call statistics"),
}
# At the end of a reason.
ITS_CUSTOMERS = re.compile(r"; (no|[\d,]+) customers? with call statistics$")
IN_BRACKETS = re.compile(r" \([^()]*\)")


def plain_text(outcome: Outcome) -> str:
    """The cells that need maintenance, worst first, what else is to be known, and the places."""
    summary = outcome.summary
    lines = [MADE_UP_WORDS] if outcome.is_made_up else []
    if outcome.judges_cells:
        cells = summary.to_visit
        lines.append(f"{headline(summary)}{'; worst first:' * bool(cells)}")
        for cell in cells:
            lines.append(f"{cell.rank:4}  {cell.name}  {cell.fails}{_since(cell, summary)}")
            lines += wrapped(cell.reason)
        if more := summary.required - len(cells):
            lines.append(f"      and {more:,} more, in the table")
    lines += [f"{label}: {words}" for label, words in remarks(summary)]
    lines += alarm_lines(summary)
    lines += [f"{label}: {words}" for label, words in places(outcome)]
    return "\n".join(lines)


def headline(summary: RunSummary) -> str:
    """How many cells need maintenance, and how many could not be judged."""
    required, unknown = summary.required, summary.not_judged
    not_judged = f", {unknown:,} could not be judged" if unknown else ""
    verb = "needs" if required == 1 else "need"
    return f"{required:,} of {summary.cell_count:,} cells {verb} maintenance{not_judged}"


def remarks(summary: RunSummary) -> list[tuple[str, str]]:
    """Labels and sentences: near misses, the use of the inputs, and what could not be judged."""
    found = [
        ("Near miss", f"{cell.name}: {cell.reason}")
        for cell in summary.near_misses[:NEAR_MISSES_SHOWN]
    ]
    if used := _used(summary):
        found.append(("Used", used))
    if matched := _matched(summary):
        found.append(("Matched", matched))
    for row in sorted(summary.of("not_judged"), key=lambda row: -row.value):
        why = WHY_NOT_JUDGED[row.item]
        why = why.replace("send ", "sends ", 1) if row.value == 1 else why
        found.append(("Not judged", f"{counted(row.value, 'cell')} {why}"))
    if unable := sorted(row.item for row in summary.of("out_of_reach", CELL_LEVEL)):
        limits = "its limit" if len(unable) == 1 else "their limits"
        kpis = f"{', '.join(unable)}: no value of a cell can pass {limits}"
        found.append(("Not judged", kpis))
    return found


def places(outcome: Outcome) -> list[tuple[str, str]]:
    """Labels and words: where tables and report are, and the command to try next."""
    found = (
        ("Tables", outcome.tables),
        ("Report", outcome.page),
        ("Next", outcome.next_command),
    )
    return [(label, words) for label, words in found if words]


def alarm_lines(summary: RunSummary) -> list[str]:
    """How many alarms were raised, then the active and the newest ones; empty if none was judged.

    The summary has the alarms in this order.
    """
    alarms = summary.alarms
    if alarms is None:
        return []
    shown = alarms.named[:NEWEST_SHOWN]
    lines = [f"{alarm_headline(summary)}{'; active ones first, then the newest:' * bool(shown)}"]
    for row in shown:
        first, *others = wrapped(row.detail)
        lines += [f"  {row.item}  {first.strip()}", *others]
    if alarms.raised > len(shown):
        lines.append(f"      and {alarms.raised - len(shown):,.0f} more, in the table")
    return lines


def alarm_headline(summary: RunSummary) -> str:
    """How many alarms were raised, in how much time; empty if none was judged."""
    alarms = summary.alarms
    if alarms is None:
        return ""
    share = percent(summary.share_without_baseline)
    unjudged = f"; {share} of the values had no baseline" if summary.lacks_baseline else ""
    return (
        f"{counted(alarms.raised, 'alarm')} in {alarms.cell_days:,.1f} cell days, from "
        f"{alarms.begin} to {alarms.until} UTC; {alarms.active:,.0f} active{unjudged}"
    )


def in_short(cell: NamedCell) -> tuple[str, str]:
    """What is wrong with a cell in a few words, and the KPI that shows it most clearly."""
    first = ITS_CUSTOMERS.sub("", cell.reason).split("; ")[0]
    diagnosis, has_one, evidence = first.partition(": ")
    if not has_one:
        return cell.fails, IN_BRACKETS.sub("", first)
    return diagnosis, f"{cell.fails}: {IN_BRACKETS.sub('', evidence)}"


def wrapped(sentence: str) -> list[str]:
    """A sentence wrapped and indented, to stand below its heading."""
    return textwrap.wrap(sentence, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def is_due_longer(cell: NamedCell, summary: RunSummary) -> bool:
    """Whether a cell is due since an earlier day than that of the run."""
    return cell.since is not None and cell.since != summary.day


def _since(cell: NamedCell, summary: RunSummary) -> str:
    return f", since {cell.since}" if is_due_longer(cell, summary) else ""


def _used(summary: RunSummary) -> str:
    """How much of each input was used."""
    used, has_left_out = [], False
    for source, (one, many) in NOUNS.items():
        rows, clean = summary.rows_in(source), summary.rows_clean(source)
        if not rows:
            continue
        is_whole = rows == clean
        told = counted(rows, one, many)
        if not is_whole:
            told = f"{clean:,.0f} of {told} ({percent(clean / rows)})"
        elif rows > 1:
            told = f"all {told}"
        values = summary.values_left_out(source)
        if values:
            told += f" without {counted(values, 'bad value')}"
        used.append(told)
        has_left_out |= bool(values) or not is_whole
    return f"{', '.join(used)}{f'; see {REJECTED_TABLE}' * has_left_out}"


def _matched(summary: RunSummary) -> str:
    """How many of the customers have samples and call statistics."""
    read = summary.total("join", ALL_INPUTS, CUSTOMERS_READ)
    if not read:
        return ""
    matched = summary.total("join", ALL_INPUTS, MATCHED_CUSTOMERS)
    return (
        f"{matched:,.0f} of {counted(read, 'customer')} ({percent(summary.match_rate)}) with "
        "samples of their cell and call statistics"
    )


def percent(share: float) -> str:
    """A share as a percentage, which is 0 or 100 only if it is exactly that."""
    if 0 < share < 0.01:
        return "under 1%"
    if 0.99 < share < 1:
        return "over 99%"
    return f"{share:.0%}"
