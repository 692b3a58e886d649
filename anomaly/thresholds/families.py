"""From the evidence of a cell to what fails: KPIs that say the same of service are one voice."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.profile.sections import Diagnosis, Family
from anomaly.thresholds.compare import CRIT, WARN

BY_SEVERITY_TYPE = "array<struct<order:double,kpi:string,reason:string>>"
FAILED_TYPE = "array<struct<name:string,decides:boolean,severity:double,reason:string>>"


def failed_families(families: Sequence[Family]) -> Column:
    """The families that fail, from a row's `evidence`, in the order of the profile.

    An array of struct<name, decides, severity, reason>: severity, how far the worst KPI lies from
    what is usual, in spreads; reason, that KPI in words, and how many others are beyond their
    limits, too.
    """
    found = F.array(*(_failed(family) for family in families)).cast(FAILED_TYPE)
    return F.filter(found, lambda family: family.isNotNull())


def diagnosis(diagnoses: Sequence[Diagnosis]) -> Column:
    """The words of the first diagnosis that fits a row's `evidence`; NULL where none does."""
    fitting = (
        F.when(_is_any_bad(one.failed) & ~_is_any_bad(one.sound), one.words) for one in diagnoses
    )
    return F.coalesce(*fitting, F.lit(None).cast("string"))


def kpi_severity(kpi: Column) -> Column:
    """How far a KPI of the evidence lies from what is usual, comparable between KPIs.

    In spreads; where there is no spread, 100 % beyond the bound count as one.
    """
    scale = F.when(kpi["deviation_unit"] == "%", 100.0).otherwise(1.0)
    return F.coalesce(F.abs(kpi["deviation"]) / scale, F.lit(0.0))


def _failed(family: Family) -> Column:
    """The family as an element of `failed_families`, NULL where it does not fail."""
    bad = F.filter("evidence", lambda kpi: (kpi["family"] == family.name) & _is_bad(kpi))
    fails = F.size(F.filter(bad, lambda kpi: kpi["status"] == CRIT)) >= family.minimum_defects
    if family.minimum_warnings:
        fails |= F.size(bad) >= family.minimum_warnings
    by_severity = F.transform(
        bad,
        lambda kpi: F.struct(
            (-kpi_severity(kpi)).alias("order"), kpi["kpi"].alias("kpi"), kpi["reason"]
        ),
    )
    worst_first = F.sort_array(by_severity.cast(BY_SEVERITY_TYPE))
    others = F.size(bad) - 1
    more = F.concat(
        F.lit(", and "),
        others.cast("string"),
        F.when(others == 1, " more KPI of ").otherwise(" more KPIs of "),
        F.lit(family.name),
    )
    worst = F.get(worst_first, 0)
    reason = F.concat(worst["reason"], F.when(others > 0, more).otherwise(""))
    return F.when(
        fails,
        F.struct(
            F.lit(family.name).alias("name"),
            F.lit(family.decides).alias("decides"),
            (-worst["order"]).alias("severity"),
            reason.alias("reason"),
        ),
    )


def _is_bad(kpi: Column) -> Column:
    return kpi["status"].isin(WARN, CRIT)


def _is_any_bad(kpis: Sequence[str]) -> Column:
    return F.exists("evidence", lambda kpi: kpi["kpi"].isin(*kpis) & _is_bad(kpi))
