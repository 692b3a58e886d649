"""What the rows of a summary are read as."""

from pyspark.sql import Row

from runners.services.origins import Origin
from runners.services.run_summary import RunSummary

ROW = Row("section", "subject", "item", "value", "detail")
SUMMARY = RunSummary(
    [
        ROW("input", "samples", "rows in", 30.0, "a.csv"),
        ROW("input", "samples", "rows in", 10.0, "b.csv"),
        ROW("input", "samples", "rows clean", 32.0, "a.csv"),
        ROW("rejected", "samples", "bad_time", 5.0, None),
        # What the profile itself leaves out.
        ROW("rejected", "samples", "filtered_by_profile", 3.0, None),
        ROW("missing_value", "samples", "load: not_a_number", 4.0, None),
        ROW("missing_value", "samples", "load: missing_text", 9.0, None),
        ROW("missing_value", "samples", "users: not_a_number", 1.0, None),
        ROW("join", "all inputs", "customers", 8.0, None),
        ROW("join", "all inputs", "matched customers", 6.0, None),
        ROW("join", "customers to samples", "matched customers", 7.0, None),
        ROW("unmatched", "callers", "few", 1.0, None),
        ROW("unmatched", "callers", "many", 2.0, None),
        ROW("kpi", "cell", "rows", 9.0, None),
        ROW("kpi", "customer", "rows", 6.0, None),
        ROW("verdict", "cell", "Required", 2.0, None),
        ROW("verdict", "cell", "Not judged", 3.0, None),
        ROW("worst", "B", "2 of 9 KPIs", 2.0, "why B"),
        ROW("worst", "A", "4 of 9 KPIs", 1.0, "why A"),
        ROW("origin", "samples", "files", 2.0, "digest"),
    ]
)
OF_ALARMS = [
    ROW("alarms", "judged", "cell days", 2.5, None),
    ROW("alarms", "judged", "from", None, "2026-11-01 00:00:00"),
    ROW("alarms", "judged", "until", None, "2026-11-02 00:00:00"),
    ROW("alarms", "raised", "CRIT", 2.0, None),
    ROW("alarms", "raised", "WARN", 1.0, None),
    ROW("alarms", "raised", "standing", 1.0, None),
    ROW("alarms", "minutes between samples", "15", 4.0, None),
    ROW("alarm", "B", "WARN", 2.0, "why B"),
    ROW("alarm", "A", "CRIT", 1.0, "why A"),
]


def test_counts_of_files_add_up_and_what_the_profile_leaves_out_is_no_fault():
    assert (SUMMARY.rows_in("samples"), SUMMARY.rows_clean("samples")) == (40, 32)
    assert SUMMARY.rejected_share("samples") == 5 / 40
    assert SUMMARY.left_out("samples", "load") == 4
    assert SUMMARY.rows_in("customers") == 0


def test_customers_match_where_all_inputs_have_them():
    assert SUMMARY.match_rate == 6 / 8
    assert [row.item for row in SUMMARY.unmatched["callers"]] == ["many", "few"]


def test_cells_are_counted_and_the_worst_come_first():
    assert (SUMMARY.cell_count, SUMMARY.required, SUMMARY.not_judged) == (9, 2, 3)
    assert [row.subject for row in SUMMARY.worst] == ["A", "B"]
    assert SUMMARY.origins == {"samples": Origin("samples", 2.0, "digest")}


def test_alarms_are_there_where_they_were_judged():
    assert SUMMARY.alarms is None
    summary = RunSummary(OF_ALARMS)
    alarms = summary.alarms
    assert (alarms.cell_days, alarms.raised, alarms.active) == (2.5, 3, 1)
    assert (alarms.begin, alarms.until) == ("2026-11-01 00:00:00", "2026-11-02 00:00:00")
    assert [row.subject for row in alarms.named] == ["A", "B"]
    assert summary.cells_by_minutes == {15: 4.0}
    assert RunSummary([]).alarms is None
