"""Reads what a verdict follows from in a profile: families, diagnoses, peers, and its own table."""

from anomaly.contracts import SAMPLES
from anomaly.profile import (
    Diagnosis,
    Family,
    Peers,
    SilentCells,
    StandingAlarms,
    VerdictRule,
)
from anomaly.toml_section import NUMBER, TEXT, TRUTH, WHOLE, Section, list_of, one_of


def read_verdict_rule(table: Section) -> VerdictRule:
    """The table `[verdict]`."""
    default = VerdictRule()
    return VerdictRule(
        minimum_failed_families=table.value("minimum_failed_families", WHOLE, None),
        minimum_defects=table.value("minimum_defects", WHOLE, None),
        minimum_defect_share=table.value("minimum_defect_share", NUMBER, None),
        minimum_evaluated=table.value("minimum_evaluated", WHOLE, default.minimum_evaluated),
        silent_cells=table.value("silent_cells", one_of(SilentCells), default.silent_cells),
        silent_family=table.value("silent_family", TEXT, None),
        standing_alarms=table.value(
            "standing_alarms", one_of(StandingAlarms), default.standing_alarms
        ),
    )


def read_families(table: Section) -> tuple[Family, ...]:
    """The tables `[families.NAME]`, in their order."""
    return tuple(
        Family(
            name=name,
            decides=family.value("decides", TRUTH, True),
            minimum_defects=family.value("minimum_defects", WHOLE, 1),
            minimum_warnings=family.value("minimum_warnings", WHOLE, 0),
        )
        for name, family in table.sections()
    )


def read_diagnoses(table: Section) -> tuple[Diagnosis, ...]:
    """The tables `[diagnoses.NAME]`, in their order."""
    return tuple(
        Diagnosis(
            words=diagnosis.needed("words", TEXT),
            failed=diagnosis.needed("failed", list_of(TEXT)),
            sound=diagnosis.value("sound", list_of(TEXT), ()),
        )
        for _, diagnosis in table.sections()
    )


def read_peers(table: Section) -> Peers:
    """The table `[peers]`."""
    return Peers(
        input=table.value("input", TEXT, SAMPLES),
        column=table.needed("column", TEXT),
        minimum_cells=table.value("minimum_cells", WHOLE, 8),
        required=table.value("required", TRUTH, True),
    )
