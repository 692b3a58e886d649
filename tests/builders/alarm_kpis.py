"""The text of profiles whose alarms watch a KPI or two."""

HEAD = """
name = "small"
[verdict]
minimum_defects = 1
[kpis.samples]
load = { unit = "%" }
users = { unit = "users", minimum = 0 }
[kpis.call_statistics]
calls = { unit = "calls" }
[rules.load]
bad_when = "above"
method = "mean"
[alarms]
period_minutes = 360
history_days = 7
baseline_days = 7
smoothed_periods = 1
largest_deviation = 1000
raise_periods = 2
raise_within = 3
silent_periods = 2
clear_periods = 2
clear_level = 1
peers_column = "Vendor"
"""
KPI = """
[alarms.kpis.{name}]
of = ["{of}"]
unit = "%"
meaning = "load of the cell"
bad_when = "{bad_when}"
method = "{method}"
smallest_spread = {floor}
warn = 2
crit = 4
{more}
"""


def kpi(name, method="static", of="load", bad_when="above", floor=1, more="fixed = 0"):
    """The text of an alarm KPI; by default its deviation is its value."""
    return KPI.format(name=name, of=of, method=method, bad_when=bad_when, floor=floor, more=more)


OF_PEERS = kpi("of_peers", method="median_mad", more='groups = ["peers"]\nminimum_samples = 9999')
