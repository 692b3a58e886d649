"""The table: a line for each detector and rate of false alarms, with its spread over the seeds."""

from dataclasses import dataclass
from statistics import fmean

from benchmarks.detection.faults import KINDS
from benchmarks.detection.scoring import Score

# What a figure's mean over the seeds is printed with.
LOWEST_TO_HIGHEST = "{mean:.2f} ({lowest:.2f}-{highest:.2f})"
MEAN = "{mean:.2f}"
SLOTS = "{mean:.1f}"


@dataclass(frozen=True)
class Line:
    """What a detector reached: a score for each seed. `rate` says how its threshold was chosen."""

    detector: str
    decision: str
    rate: str
    scores: list[Score]

    @property
    def recall(self) -> float:
        """The mean over the seeds."""
        return fmean(score.recall for score in self.scores)


def text(lines: list[Line]) -> str:
    """Return a Markdown table, delays in slots."""
    titles = ["at false alarms", "detector", "decision", "false alarms", "found", *KINDS]
    titles += ["median delay", "90 % delay"]
    rows = [titles, ["---"] * len(titles), *(_row(line) for line in lines)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(titles))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def _row(line: Line) -> list[str]:
    scores = line.scores
    return [
        line.rate,
        line.detector,
        line.decision,
        _figure([score.false_alarms for score in scores], LOWEST_TO_HIGHEST),
        _figure([score.recall for score in scores], LOWEST_TO_HIGHEST),
        *(_figure([score.recall_by_kind[kind] for score in scores], MEAN) for kind in KINDS),
        _figure([score.median_delay for score in scores], SLOTS),
        _figure([score.late_delay for score in scores], SLOTS),
    ]


def _figure(values: list[float], form: str) -> str:
    return form.format(mean=fmean(values), lowest=min(values), highest=max(values))
