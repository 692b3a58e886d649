"""The alarms of a profile: its rules, and those that stand at the end of a run."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError
from anomaly.profile.alarm_rules import AlarmRules
from anomaly.profile.model import Profile
from anomaly.schema.tables import (
    SAMPLES_KPI,
)

# What a cell has of the alarm that stands, if any.
STANDING_TYPE = "struct<severity:string,families:array<string>,reason:string>"


def standing_alarms(alarms: DataFrame, profile: Profile) -> DataFrame:
    """Of the table of the alarms those that stand at its end: CellName, standing_alarm.

    A row per cell; at most one alarm of a cell stands. `families` are those of its KPIs.
    """
    families = {kpi.name: kpi.family for kpi in rules_of(profile).kpis if kpi.family}
    if profile.verdict.silent_family:
        families[SAMPLES_KPI] = profile.verdict.silent_family
    named = [
        F.when(F.array_contains("kpis", kpi), F.lit(family)) for kpi, family in families.items()
    ]
    return alarms.where(F.col("cleared_at").isNull()).select(
        "CellName",
        F.struct(
            "severity",
            F.array_distinct(F.array_compact(F.array(*named))).alias("families"),
            "reason",
        )
        .cast(STANDING_TYPE)
        .alias("standing_alarm"),
    )


def rules_of(profile: Profile) -> AlarmRules:
    """The rules for alarms. Raises ConfigurationError where the profile has no `[alarms]`."""
    if profile.alarms is None:
        raise ConfigurationError(
            f"profile {profile.name}", ["has no table [alarms]; conf/default.toml shows one"]
        )
    return profile.alarms
