"""Writes the pages and plots that are made from the code: `python -m docs`."""

from docs import (
    kpis_reference,
    plots,
    profile_reference,
    rejected_rows_reference,
    tables_reference,
)

for generator in (kpis_reference, profile_reference, rejected_rows_reference, tables_reference):
    generator.PAGE.write_text(generator.page(), encoding="utf-8")
plots.write()
