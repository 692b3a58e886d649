"""The alarms of this library as an operator gets them: from its command and default profile."""

import subprocess
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.detection.dataset import TIME_FORMAT, write
from benchmarks.detection.scoring import Score, score
from benchmarks.detection.times import JUDGED_DAYS, JUDGED_FROM

COMMAND = ".venv/bin/cell-tower-anomaly"
PROFILE = "conf/default.toml"


def product_score(samples: pd.DataFrame, truth: pd.DataFrame) -> Score:
    """Score the alarms that the command raises in the judged week."""
    alarms = product_alarms(samples, truth)
    return score(alarms, truth, samples["CellName"].nunique() * JUDGED_DAYS)


def product_alarms(samples: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return CellName and raised_at (UTC, without a zone) of each alarm."""
    with tempfile.TemporaryDirectory() as folder:
        write(samples, truth, Path(folder))
        inputs = ["--samples", f"{folder}/samples.csv", "--profile", PROFILE]
        judged = ["--from", JUDGED_FROM.strftime(TIME_FORMAT), "--out", f"{folder}/alarms"]
        run = subprocess.run([COMMAND, "alarms", *inputs, *judged], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"{COMMAND} ended with {run.returncode}:\n{run.stderr}")
        alarms = pd.read_parquet(f"{folder}/alarms/cell_alarms", columns=["CellName", "raised_at"])
    raised = pd.to_datetime(alarms["raised_at"], utc=True).dt.tz_localize(None)
    return alarms.assign(raised_at=raised.astype("datetime64[ns]"))
