"""Examples that end the help of each command: what each does, and its arguments."""

from collections.abc import Mapping, Sequence

INPUTS = "--customers data/customers --samples data/samples --calls data/calls"
DAILY_INPUTS = (
    "--customers data/customers --calls data/calls --samples 'data/samples/{run_date}.csv'"
)
BUCKET_INPUTS = (
    "--customers gs://BUCKET/customers --samples gs://BUCKET/samples --calls gs://BUCKET/calls"
)

EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "": (
        ("try it on made-up data", "run --sample"),
        ("draft a profile for your own files", "inspect data > my.toml"),
        ("judge your own data", f"run --profile my.toml\n{INPUTS}"),
        ("see the result again", "show out"),
    ),
    "run": (
        ("try it on made-up data, and look at the result in a browser",
         "run --sample --report report.html"),
        ("judge your own data", f"run\n{INPUTS}\n--out out --run-date 2026-11-01"),
        ("with your own profile, into BigQuery",
         f"run --profile my.toml\n{BUCKET_INPUTS}\n--out bq://PROJECT.DATASET"),
    ),
    "backfill": (
        ("run the days of a month that are missing or changed",
         f"backfill --from 2026-11-01 --to 2026-11-30\n{DAILY_INPUTS} --out out"),
    ),
    "alarms": (
        ("judge the samples of a day against those of the weeks before",
         "alarms --samples data/2026-11-01.csv --history data/october --out alarms"),
        ("judge the last days of one folder against its first",
         "alarms --samples data/samples --from 2026-11-24 --out alarms"),
    ),
    "evaluate": (
        ("compare the alarms of a run with trouble tickets",
         "evaluate --truth tickets.csv --alarms out"),
        ("of all published days, and keep the figures",
         "evaluate --truth tickets.csv --alarms out --every-day --out figures.csv"),
    ),
    "inspect": (
        ("draft a profile from a folder with all three inputs", "inspect data > my.toml"),
        ("of files whose columns do not show what they are",
         "inspect --customers clients.csv --samples counters.csv\n--calls calls.csv > my.toml"),
    ),
    "sample": (
        ("make the three inputs, and truth.csv with their faults", "sample --out made-up"),
        ("ten times the size, as Parquet", "sample --scale 10 --format parquet --out made-up"),
    ),
    "show": (
        ("the cells that need maintenance, on the last published day", "show out"),
        ("why one cell has its verdict", "show out --cell 4CLTE"),
        ("active and newest alarms of a day", "show out --alarms --run-date 2026-11-01"),
        ("the cells to visit, for a script", "show out --csv > visits.csv"),
    ),
    "report": (
        ("write a page of the last published day", "report out --out report.html"),
        ("of a day in BigQuery, with its plots as pictures",
         "report bq://PROJECT.DATASET --run-date 2026-11-01\n--out report.html --png plots"),
    ),
    "diff": (
        ("what changed from one day to the next", "diff out@2026-11-01 out@2026-11-02"),
        ("between two profiles, with every cause in a file",
         "diff out-default out-mine --out causes.csv"),
    ),
    "submit": (
        ("run on Dataproc Serverless, into BigQuery",
         f"submit --settings my.toml\n{BUCKET_INPUTS}\n--out bq://PROJECT.DATASET"),
        ("print the batch, and send nothing",
         f"submit --settings my.toml\n{BUCKET_INPUTS}\n--out bq://PROJECT.DATASET --dry-run"),
    ),
    "provision": (
        ("print what would be created", "provision --settings my.toml --dry-run"),
        ("create it, and copy the inputs", "provision --settings my.toml --inputs data"),
    ),
    "status": (("the state of a batch", "status --settings my.toml BATCH"),),
    "logs": (("the output of a batch", "logs --settings my.toml BATCH"),),
    "cancel": (("ask a batch to stop", "cancel --settings my.toml BATCH"),),
    "deploy-dag": (
        ("print what would be uploaded", "deploy-dag --settings my.toml --dry-run"),
        ("upload it, with a profile", "deploy-dag --settings my.toml --profile default"),
    ),
    "check-config": (
        ("list every problem of a profile", "check-config my.toml"),
        ("summarize a shipped one", "check-config default"),
    ),
    "completion": (
        ("complete commands and options with Tab",
         "completion bash\n> ~/.local/share/bash-completion/completions/cell-tower-anomaly"),
    ),
}  # fmt: skip
