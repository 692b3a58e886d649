"""An evaluation as text for the terminal: the figures in sentences, and a table by kind."""

from collections.abc import Sequence

from pyspark.sql import Row

from anomaly.evaluation.scores import ALL, JUDGED, LEFT_OUT, NOTED, OF_KIND, WITHOUT_KIND

NO_DATA = "no data"
KINDS_SHOWN = 40
DELAYS = ("median delay in quarter hours", "90 % delay in quarter hours")

Values = dict[tuple[str, str], float | None]


def report_of_evaluation(figures: Sequence[Row], place: str) -> str:
    """The figures of `evaluation.evaluate` as text: overall, by kind, and what was left out."""
    values: Values = {(row.subject, row.item): row.value for row in figures}
    details = {(row.subject, row.item): row.detail for row in figures}
    days = _number(values[JUDGED, "cell days"], ".1f")
    lines = [
        f"Alarms of {place}, {details[JUDGED, 'from']} to {details[JUDGED, 'until']} UTC, "
        f"{days} cell days:",
        *_of_all(values),
        *_of_kinds(values),
        *_notes(values, details[NOTED, "unknown cells"]),
    ]
    return "\n".join(lines)


def _of_all(values: Values) -> list[str]:
    def count(item: str) -> str:
        return _number(values[ALL, item], ".0f")

    def share(item: str) -> str:
        return _share(values[ALL, item])

    median, late = (_number(values[ALL, item], ".1f") for item in DELAYS)
    rate = _number(values[ALL, "false alarms per cell and day"], ".3f")
    return [
        f"  {count('found events')} of {count('events')} events found: recall {share('recall')}",
        f"  {count('true alarms')} of {count('alarms')} alarms true: "
        f"precision {share('precision')}, F1 {share('F1')}",
        f"  {count('false alarms')} alarms false: {rate} per cell and day",
        f"  delay in quarter hours: median {median}, 90 % {late}",
    ]


def _of_kinds(values: Values) -> list[str]:
    """A line per kind, if events have kinds."""
    subjects = sorted({subject for subject, _ in values if subject.startswith(OF_KIND)})
    if not subjects:
        return []
    if (WITHOUT_KIND, "events") in values:
        subjects.append(WITHOUT_KIND)
    rows: list[tuple[str, ...]] = [
        ("kind", "events", "found", "recall", "median delay", "90 % delay")
    ]
    rows += [
        (
            subject.removeprefix(OF_KIND),
            _number(values[subject, "events"], ".0f"),
            _number(values[subject, "found events"], ".0f"),
            _share(values[subject, "recall"]),
            *(_number(values[subject, item], ".1f") for item in DELAYS),
        )
        for subject in subjects[:KINDS_SHOWN]
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  " + "  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])))
        for row in rows
    ]
    hidden = len(subjects) - KINDS_SHOWN
    return [
        "",
        *lines,
        *([f"  and {hidden} more kinds; --out writes all"] if hidden > 0 else []),
        "",
    ]


def _notes(values: Values, unknown_cells: str | None) -> list[str]:
    """A line for each count of events or alarms that were left out or need attention."""
    lines = [
        f"{subject}, {item}: {value:.0f}"
        for (subject, item), value in values.items()
        if subject in (LEFT_OUT, NOTED) and value
    ]
    if unknown_cells:
        lines.append(
            "The alarm tables do not name the unknown cells, so their events count as not found. "
            f"Check these names: {unknown_cells}"
        )
    return lines


def _share(value: float | None) -> str:
    return NO_DATA if value is None else f"{value:.1%}"


def _number(value: float | None, form: str) -> str:
    return NO_DATA if value is None else f"{value:{form}}"
