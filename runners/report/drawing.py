"""What the plots of a report have in common."""

import altair as alt

from runners.report.contents import Record

# Okabe and Ito's colours, which the colour-blind tell apart, on light and on dark ground.
DEFECT, NEAR, NO_DEFECT, BOUND = "#D55E00", "#E69F00", "#56B4E9", "#CC79A7"
QUIET = "#808080"
# The defects' colour as a ground on which white words are read (4.9 to 1, as WCAG 2.2 asks for).
FAILED = "#C24E00"
WIDTH = 640
FIELD = 22
# A plot whose labels change with what is chosen is given the room that they need.
REFIT = alt.AutoSizeParams(type="pad", resize=True)


def chart_of(rows: list[Record]) -> alt.Chart:
    """A chart of rows that stand in the page itself."""
    return alt.Chart(alt.InlineData(values=rows))
