"""The four weeks of the benchmark: three clean ones, the history, and one that is judged."""

import pandas as pd

QUARTER_HOUR = pd.Timedelta(minutes=15)
SLOTS = 96  # quarter hours of a day
DAYS = 28
HISTORY_DAYS = 21
JUDGED_DAYS = DAYS - HISTORY_DAYS
JUDGED_PERIODS = JUDGED_DAYS * SLOTS

START = pd.Timestamp("2026-01-05")  # a Monday; times are UTC
JUDGED_FROM = START + pd.Timedelta(days=HISTORY_DAYS)
TIMES = pd.date_range(START, periods=DAYS * SLOTS, freq=QUARTER_HOUR)
HISTORY_TIMES, JUDGED_TIMES = TIMES[TIMES < JUDGED_FROM], TIMES[TIMES >= JUDGED_FROM]
