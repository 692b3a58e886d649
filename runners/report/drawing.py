"""What the plots of a report have in common."""

import altair as alt

from runners.report.contents import Record

# Okabe and Ito's colours, which colour-blind people can distinguish, on light and dark ground.
DEFECT, NEAR, NO_DEFECT, BOUND = "#D55E00", "#E69F00", "#56B4E9", "#CC79A7"
QUIET = "#808080"
# The colour of defects, dark enough behind white text (contrast 4.9:1, WCAG 2.2 asks for 4.5:1).
FAILED = "#C24E00"
WIDTH = 640
FIELD = 22
# A plot makes room for its labels when a choice changes them.
REFIT = alt.AutoSizeParams(type="pad", resize=True)


def chart_of(rows: list[Record]) -> alt.Chart:
    """A chart of rows that are embedded in the page."""
    # Altair copies lists with each step that it adds to a chart.
    return alt.Chart(alt.InlineData(values=tuple(rows)))
