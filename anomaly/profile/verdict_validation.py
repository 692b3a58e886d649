"""Validation of families, diagnoses, peers and verdict against each other."""

from collections.abc import Iterable

from anomaly.profile.model import Profile
from anomaly.profile.sections import Peers
from anomaly.schema.inputs import CUSTOMERS, INPUT_CONTRACTS, SAMPLES
from anomaly.suggestions import did_you_mean


def verdict_problems(profile: Profile) -> list[str]:
    """A message for each setting that is out of range or contradicts another."""
    return [
        *_unknown_families(profile),
        *_diagnosis_problems(profile),
        *(_peers_problems(profile.peers, profile) if profile.peers else ()),
        *_verdict_problems(profile),
    ]


def _unknown_families(profile: Profile) -> list[str]:
    known = [family.name for family in profile.families]
    named = {f"[rules.{rule.kpi}]": rule.family for rule in profile.rules}
    for kpi in profile.alarms.kpis if profile.alarms else ():
        named[f"[alarms.kpis.{kpi.name}]"] = kpi.family
    named["[verdict] silent_family:"] = profile.verdict.silent_family
    return [
        f"{where} family {family!r} is unknown; {_known('families', known)}"
        f"{did_you_mean(family, known)}"
        for where, family in named.items()
        if family is not None and family not in known
    ]


def _diagnosis_problems(profile: Profile) -> list[str]:
    judged = [rule.kpi for rule in profile.rules]
    return [
        f"[diagnoses] {diagnosis.words!r} names {kpi!r}, which has no rule"
        f"{did_you_mean(kpi, judged)}"
        for diagnosis in profile.diagnoses
        for kpi in (*diagnosis.failed, *diagnosis.sound)
        if kpi not in judged
    ]


def _peers_problems(peers: Peers, profile: Profile) -> list[str]:
    problems = []
    if peers.input not in (SAMPLES, CUSTOMERS):
        problems.append(f"[peers] input is {peers.input!r}; it must be {SAMPLES} or {CUSTOMERS}")
    else:
        taken = {column.name.lower() for column in INPUT_CONTRACTS[peers.input].columns}
        taken |= {kpi.column.lower() for kpi in profile.kpis_of(peers.input)}
        if peers.column.lower() in taken:
            problems.append(
                f"[peers] column {peers.column!r} has another meaning in the {peers.input}"
            )
    return problems


def _verdict_problems(profile: Profile) -> list[str]:
    verdict = profile.verdict
    counts = {
        "minimum_failed_families": verdict.minimum_failed_families,
        "minimum_defects": verdict.minimum_defects,
        "minimum_defect_share": verdict.minimum_defect_share,
    }
    if sum(value is not None for value in counts.values()) != 1:
        return [f"[verdict] needs exactly one of {', '.join(counts)}"]
    problems = []
    share, failed = verdict.minimum_defect_share, verdict.minimum_failed_families
    if share is not None and not 0 < share <= 1:
        problems.append("[verdict] minimum_defect_share must be above 0 and at most 1")
    if failed is not None and not 1 <= failed <= len(profile.families):
        problems.append(
            "[verdict] minimum_failed_families must be between 1 and the number of families "
            f"({len(profile.families)})"
        )
    return problems


def _known(what: str, names: Iterable[str]) -> str:
    return f"{what} are: {', '.join(names) or '(none)'}"
