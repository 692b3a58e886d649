"""From the evidence of a cell to what fails: KPIs that say the same of service are one voice."""

from collections.abc import Sequence
from dataclasses import asdict

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.expressions.arrays import constant_array
from anomaly.profile.sections import Diagnosis, Family
from anomaly.thresholds.compare import CRIT, WARN, in_spreads

FAMILY_FIELDS = {
    "name": "string",
    "decides": "boolean",
    "minimum_defects": "int",
    "minimum_warnings": "int",
}
BY_SEVERITY_TYPE = "array<struct<order:double,kpi:string,reason:string,status:string>>"
FAILED_TYPE = "array<struct<name:string,decides:boolean,severity:double,reason:string>>"


def failed_families(families: Sequence[Family]) -> Column:
    """The families that fail, from a row's `evidence`, in the order of the profile.

    An array of struct<name, decides, severity, reason>: severity, how far the worst KPI lies from
    what is usual, in spreads; reason, that KPI in words, and how many others are beyond their
    limits, too.
    """
    rules = constant_array(map(asdict, families), FAMILY_FIELDS)
    failing = F.filter(F.transform(rules, _with_bad_kpis), _fails)
    return F.transform(failing, _failed).cast(FAILED_TYPE)


def diagnosis(diagnoses: Sequence[Diagnosis]) -> Column:
    """The words of the first diagnosis that fits a row's `evidence`; NULL where none does."""
    # One list of conditions: Sail plans what coalesce() is given twice.
    fits = F.when(F.lit(False), F.lit(None).cast("string"))
    for one in diagnoses:
        fits = fits.when(_is_any_bad(one.failed) & ~_is_any_bad(one.sound), one.words)
    return fits


def kpi_severity(kpi: Column) -> Column:
    """How far a KPI of the evidence lies from what is usual, in spreads."""
    return in_spreads(kpi["deviation"], kpi["deviation_unit"])


def _with_bad_kpis(family: Column) -> Column:
    """A family with its KPIs that are beyond their limits, the farthest first."""
    bad = F.filter("evidence", lambda kpi: (kpi["family"] == family["name"]) & _is_bad(kpi))
    by_severity = F.transform(
        bad,
        lambda kpi: F.struct(
            (-kpi_severity(kpi)).alias("order"), kpi["kpi"], kpi["reason"], kpi["status"]
        ),
    )
    worst_first = F.sort_array(by_severity.cast(BY_SEVERITY_TYPE))
    return F.struct(family.alias("rule"), worst_first.alias("bad"))


def _fails(family: Column) -> Column:
    rule, bad = family["rule"], family["bad"]
    defects = F.array_size(F.filter(bad, lambda kpi: kpi["status"] == CRIT))
    warnings_count = rule["minimum_warnings"] > 0
    by_warnings = warnings_count & (F.array_size(bad) >= rule["minimum_warnings"])
    return (defects >= rule["minimum_defects"]) | by_warnings


def _failed(family: Column) -> Column:
    """A family that fails as an element of `failed_families`."""
    rule, worst, others = family["rule"], family["bad"][0], F.array_size(family["bad"]) - 1
    more = F.concat(
        F.lit(", and "),
        others.cast("string"),
        F.when(others == 1, " more KPI of ").otherwise(" more KPIs of "),
        rule["name"],
    )
    return F.struct(
        rule["name"].alias("name"),
        rule["decides"].alias("decides"),
        (-worst["order"]).alias("severity"),
        F.concat(worst["reason"], F.when(others > 0, more).otherwise("")).alias("reason"),
    )


def _is_bad(kpi: Column) -> Column:
    return kpi["status"].isin(WARN, CRIT)


def _is_any_bad(kpis: Sequence[str]) -> Column:
    return F.exists("evidence", lambda kpi: kpi["kpi"].isin(*kpis) & _is_bad(kpi))
