"""What a command shows: on a terminal, without one, to scripts, and where it shall be quiet."""

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import Row
from rich.console import Console

from anomaly.run import Frame
from runners.services.console import in_short, percent, plain_text
from runners.services.days_done import DayDone, DaysDone
from runners.services.outcome import Outcome
from runners.services.progress import STAGES, NoProgress, Progress
from runners.services.rich_summary import show_days, show_outcome
from runners.services.run_summary import NamedCell, RunSummary
from runners.services.terminal import Terminal
from tests.builders.small_inputs import SmallInputs, profile_text

ROOT = Path(__file__).parents[3]
FIGURE = Row("section", "subject", "item", "value", "detail", "run_id", "profile", "run_date")
OF_RUN = ("r1", "default@1", date(2026, 11, 3))
WHY = "looks congested: load of the cell (load) is 73.0 % against the usual 1.85 % (20 cells)"
REASON = f"{WHY}; 1,200 customers with call statistics"
SUMMARY = RunSummary(
    [
        FIGURE(*figure, *OF_RUN)
        for figure in (
            ("engine", "sail", "reason", None, "as asked for"),
            ("kpi", "cell", "rows", 1052.0, None),
            ("verdict", "cell", "Required", 2.0, None),
            ("verdict", "cell", "Not judged", 1.0, None),
            ("not_judged", "cell", "NO_SAMPLES", 1.0, None),
            ("out_of_reach", "cell", "calls", 48.0, "no value can pass"),
            ("worst", "1[red]A", "utilization", 1.0, REASON),
            ("worst", "2B", "2 of 9 KPIs", 2.0, "2 of 9 judged KPIs are beyond their limits"),
            ("affected", "1[red]A", "customers with call statistics", 1200.0, None),
            ("affected", "2B", "customers with call statistics", 1.0, None),
            ("due", "1[red]A", "since", None, "2026-10-30"),
            ("due", "2B", "since", None, "2026-11-03"),
            ("near_miss", "3C", "1 of 9 KPIs", 3.0, "load of the cell (load) is 41 %"),
            ("input", "customers", "rows in", 1.0, "c.csv"),
            ("input", "customers", "rows clean", 1.0, "c.csv"),
            ("input", "samples", "rows in", 36866.0, "s.csv"),
            ("input", "samples", "rows clean", 36162.0, "s.csv"),
            ("missing_value", "samples", "load: not_a_number", 1.0, None),
            ("missing_value", "samples", "load: missing_text", 9.0, None),
            ("join", "all inputs", "customers", 4930.0, None),
            ("join", "all inputs", "matched customers", 2972.0, None),
        )
    ]
)
COMMAND = f"cell-tower-anomaly report /data/out {'x' * 99}"
OUTCOME = Outcome(SUMMARY, "/data/out", next_command=COMMAND)


def shown(width: int) -> list[str]:
    """The lines of the outcome on a screen of some width."""
    screen = Console(file=io.StringIO(), width=width, highlight=False)
    show_outcome(screen, OUTCOME)
    return [line.rstrip() for line in screen.file.getvalue().splitlines()]


def test_plain_text_says_what_is_wrong_since_when_and_how_much_was_used():
    assert plain_text(OUTCOME).splitlines() == [
        "2 of 1,052 cells need maintenance, 1 could not be judged; worst first:",
        "   1  1[red]A  utilization, since 2026-10-30",
        f"        {WHY};",
        "        1,200 customers with call statistics",
        "   2  2B  2 of 9 KPIs",
        "        2 of 9 judged KPIs are beyond their limits",
        "Near miss: 3C: load of the cell (load) is 41 %",
        "Used: 1 customer, 36,162 of 36,866 samples (98%) without 1 bad value; see rejected_rows",
        "Matched: 2,972 of 4,930 customers (60%) with samples of their cell and call statistics",
        "Not judged: 1 cell sends no samples",
        "Not judged: calls: no value of a cell can pass its limit",
        "Tables: /data/out",
        f"Next: {COMMAND}",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_the_cells_as_a_table_as_wide_as_the_screen(width):
    lines = shown(width)
    assert lines[0] == "2 of 1,052 cells need maintenance, 1 could not be judged"
    assert lines[2].split() == ["#", "Cell", "What", "is", "wrong", "Customers", "Since"]
    assert re.fullmatch(r"1  1\[red\]A  Looks congested +1,200  2026-10-30", lines[3])
    evidence = "utilization: load of the cell is 73.0 % against the usual 1.85 %"
    assert evidence in " ".join(line.strip() for line in lines[4:6])
    assert any(re.fullmatch(r"2  2B       2 of 9 KPIs +1  new", line) for line in lines)
    # A command that is copied stays one line.
    *others, command = lines
    assert command.endswith(COMMAND)
    assert max(map(len, others)) <= width


def test_the_screen_and_plain_text_tell_the_same_numbers():
    """Plain text has more of them: the number of baseline values, which stands in brackets."""
    plain = set(re.findall(r"\d[\d,.]*(?: %)?", plain_text(OUTCOME)))
    assert set(re.findall(r"\d[\d,.]*(?: %)?", "\n".join(shown(300)))) <= plain


def test_what_no_history_and_no_count_says_has_no_column():
    rows = [row for row in SUMMARY.rows if row.section not in ("due", "affected")]
    screen = Console(file=io.StringIO(), width=80)
    show_outcome(screen, Outcome(RunSummary(rows), "out"))
    assert re.search(r"^#  Cell +What is wrong *$", screen.file.getvalue(), re.MULTILINE)


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        (f"{WHY}, and 1 more KPI; b (b) is 1; no customers with call statistics",
         ("looks congested",
          "retainability: load of the cell is 73.0 % against the usual 1.85 %, and 1 more KPI")),
        ("load (load) is 0.2 Mbps per %; 1 customer with call statistics",
         ("retainability", "load is 0.2 Mbps per %")),
    ],
)  # fmt: skip
def test_a_reason_in_short_is_its_diagnosis_and_its_first_kpi(reason, short):
    assert in_short(NamedCell(1, "1A", "retainability", reason, None, None)) == short


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "0%"), (0.001, "under 1%"), (0.6, "60%"), (0.9999, "over 99%"), (1.0, "100%")],
)
def test_a_share_is_whole_only_where_nothing_lacks(share, told):
    assert percent(share) == told


def test_scripts_get_one_document(capsys):
    Terminal(is_quiet=True, is_json=True).show(OUTCOME)
    told = json.loads(capsys.readouterr().out)
    assert (told["run_date"], told["engine"], told["made_up"]) == ("2026-11-03", "sail", False)
    assert told["cells"] == {"total": 1052, "required": 2, "not_judged": 1}
    assert told["to_visit"][0] == {
        "rank": 1,
        "cell": "1[red]A",
        "fails": "utilization",
        "reason": REASON,
        "customers": 1200,
        "since": "2026-10-30",
    }
    assert [cell["cell"] for cell in told["near_misses"]] == ["3C"]
    assert told["inputs"]["samples"] == {
        "rows": 36866,
        "rows_used": 36162,
        "rows_rejected": 704,
        "values_left_out": 1,
    }
    assert told["customers"] == {"read": 4930, "matched": 2972}
    assert (told["alarms"], told["report"], told["tables"]) == (None, None, "/data/out")


def test_alarms_alone_say_nothing_of_cells_to_visit():
    of_alarms = (
        ("alarms", "judged", "cell days", 2.5, None),
        ("alarms", "judged", "from", None, "2026-11-03 00:00:00"),
        ("alarms", "judged", "until", None, "2026-11-04 00:00:00"),
        ("alarms", "raised", "CRIT", 1.0, None),
        ("alarm", "1A", "CRIT", 1.0, "1A since 06:00: silent"),
    )
    summary = RunSummary([FIGURE(*figure, *OF_RUN) for figure in of_alarms])
    outcome = Outcome(summary, "out", judges_cells=False)
    assert plain_text(outcome).splitlines() == [
        "1 alarm in 2.5 cell days, from 2026-11-03 00:00:00 to 2026-11-04 00:00:00 UTC; 0 active; "
        "active ones first, then the newest:",
        "  CRIT  1A since 06:00: silent",
        "Tables: out",
    ]
    told = outcome.as_json()
    assert "to_visit" not in told
    newest = [{"cell": "1A", "severity": "CRIT", "reason": "1A since 06:00: silent"}]
    assert (told["alarms"]["raised"], told["alarms"]["newest"]) == (1, newest)


def test_days_that_were_run_are_told_with_their_result():
    done = DaysDone(
        [DayDone(date(2026, 11, 2), []), DayDone(date(2026, 11, 3), ["late samples"], SUMMARY)],
        "out",
        "show out",
    )
    result = "2 of 1,052 cells need maintenance, 1 could not be judged"
    assert done.plain_text().splitlines()[:2] == [
        "1 of 2 days run, 1 left as published",
        f"  2026-11-03  {result} (late samples)",
    ]
    screen = Console(file=io.StringIO(), width=80)
    show_days(screen, done)
    assert re.search(r"^2026-11-02  as published *$", screen.file.getvalue(), re.MULTILINE)
    cells = [day["cells"] for day in done.as_json()["days"]]
    assert cells == [None, {"total": 1052, "required": 2, "not_judged": 1}]


def test_each_stage_has_a_line_in_words_without_control_characters(capsys):
    progress = Progress()
    for stage in ("engine", Frame.CHECKED_SAMPLES, "of_its_own"):
        progress.begin(stage)
    progress.done("engine", detail="sail (as asked for)")
    progress.done(Frame.CHECKED_SAMPLES, 36866)
    progress.done("of_its_own", 1)
    told = capsys.readouterr().err
    assert [re.sub(" +", " ", line) for line in told.splitlines()] == [
        "starting the engine: sail (as asked for) 0.0 s",
        "checking samples 36,866 rows 0.0 s",
        "of its own 1 row 0.0 s",
    ]
    assert [*progress.seconds] == ["engine", Frame.CHECKED_SAMPLES, "of_its_own"]
    NoProgress().done("engine")
    assert not capsys.readouterr().err


def test_a_run_on_a_cluster_needs_no_rich():
    lacking = "import sys; sys.modules['rich'] = None; import runners.local, runners.dataproc.batch"
    asked = "from runners.services.terminal import is_terminal; print(is_terminal(sys.stdout))"
    command = [sys.executable, "-c", f"{lacking}; {asked}"]
    master, slave = pty.openpty()
    subprocess.run(command, cwd=ROOT, stdout=slave, check=True)
    os.close(slave)
    assert os.read(master, 100) == b"False\r\n"
    os.close(master)


@pytest.fixture
def run_on_terminal(tmp_path):
    """A run on small inputs in a pseudo-terminal: its exit code, and all that it wrote."""
    places = SmallInputs().write(tmp_path / "in")
    (tmp_path / "small.toml").write_text(profile_text())
    command = [sys.executable, "-m", "runners.cli.main", "run", "--out", str(tmp_path / "out")]
    command += ["--profile", f"{tmp_path}/small.toml", "--customers", places["customers"]]
    command += ["--samples", places["samples"], "--calls", places["call_statistics"]]

    def run(*options: str, **environment: str) -> tuple[int, str]:
        master, slave = pty.openpty()
        others = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        process = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env={**others, "TERM": "xterm", "COLUMNS": "80", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        written = b""
        while process.poll() is None or select.select([master], [], [], 0)[0]:
            if select.select([master], [], [], 1)[0]:
                try:
                    written += os.read(master, 65536)
                except OSError:
                    break
        os.close(master)
        return process.wait(), written.decode()

    return run


COLOUR, CONTROL = re.compile(r"\x1b\[[0-9;]*3[0-7]m"), re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.slow
@pytest.mark.on_one_spark
@pytest.mark.spark
def test_on_a_terminal_one_live_line_goes_and_the_summary_stays(run_on_terminal):
    words = {"starting", *(stage.words for stage in STAGES.values())}
    code, written = run_on_terminal()
    assert code == 0, written
    assert COLOUR.search(written)
    # The line is erased before the summary begins, and nothing but both was written.
    live, summary = written.rsplit("\x1b[2K", 1)
    on_line = {CONTROL.sub("", one).strip() for one in re.split("[\r\n]+", live)} - {""}
    told = {re.fullmatch(r"\S ([\w:, ]+) 0:\d\d:\d\d", one)[1] for one in on_line}
    # A short stage may end between two repaints; this one takes the longest.
    assert "starting the engine" in told
    assert all(one.startswith(tuple(words)) for one in told), told
    assert re.match(r"\d+ of 12 cells need", CONTROL.sub("", summary).strip())


@pytest.mark.slow
@pytest.mark.spark
def test_a_terminal_without_colours_or_a_command_that_is_quiet_gets_none(run_on_terminal):
    code, written = run_on_terminal(NO_COLOR="1")
    assert (code, COLOUR.search(written)) == (0, None)
    code, written = run_on_terminal(TERM="dumb")
    assert (code, CONTROL.search(written)) == (0, None)
    assert run_on_terminal("--quiet") == (0, "")
