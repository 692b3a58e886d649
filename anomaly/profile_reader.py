"""Reads a profile from TOML, or says everything that is wrong with it at once."""

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

from anomaly.alarm_rules_reader import read_alarm_rules
from anomaly.contracts import CALL_STATISTICS, INPUT_CONTRACTS, SAMPLES
from anomaly.errors import ConfigurationError
from anomaly.methods import Direction, Method, Scale
from anomaly.profile import (
    Condition,
    DerivedKpi,
    Formula,
    HistoryRules,
    InputRules,
    JoinRules,
    Kpi,
    Level,
    Limits,
    MissingPolicy,
    Profile,
    Rule,
)
from anomaly.profile_contradictions import contradictions
from anomaly.toml_section import NUMBER, TEXT, TRUTH, WHOLE, Kind, Section, list_of, one_of
from anomaly.verdict_reader import (
    read_diagnoses,
    read_families,
    read_peers,
    read_verdict_rule,
)

# BigQuery: letters, digits and underscores, not starting with a digit, at most 300 characters.
# Fewer here, which leaves room for `avg_` and `_Thrsld`.
# https://cloud.google.com/bigquery/docs/schemas#column_names
LEGAL_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
KEEP_WHERE = re.compile(r"(=|!=|>=|<=|>|<)\s*(.+)")


SHIPPED = ("default", "lab")


def shipped_profiles() -> Path:
    """The folder of the profiles that come with the library, installed or in a checkout."""
    installed = Path(__file__).parent / "conf"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "conf"


def profile_file(source: str | Path) -> Path:
    """The TOML file of a profile: a path, or a shipped one by its name ("default", "lab").

    Raises ConfigurationError where there is none.
    """
    path = Path(source)
    if str(source) == path.stem:
        path = shipped_profiles() / f"{source}.toml"
    if not path.is_file():
        known = ", ".join(SHIPPED)
        raise ConfigurationError(
            f"profile {source}", [f"no such file; give a path or one of: {known}"]
        )
    return path


def load_profile(source: str | Path) -> Profile:
    """Load a profile from a TOML file, or a shipped one by its name.

    Raises ConfigurationError, which lists every fault of the file.
    """
    path = profile_file(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"profile {source}", [f"cannot be read: {error}"]) from error
    return parse_profile(text, str(source))


def parse_profile(text: str, subject: str = "profile") -> Profile:
    """Build a profile from TOML text; `subject` names it in messages.

    Raises ConfigurationError, which lists every fault of the text.
    """
    try:
        root = Section(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(subject, [f"is not valid TOML: {error}"]) from error
    profile = _profile(root)
    # Where a setting is wrong, something else stands in for it, which may contradict the others.
    faults = root.faults() or contradictions(profile)
    if faults:
        raise ConfigurationError(subject, faults)
    return profile


def _profile(root: Section) -> Profile:
    kpis = root.section("kpis", needed=True)
    rules = root.section("rules", needed=True)
    inputs = root.section("inputs")
    derived = tuple(_derived(name, table) for name, table in root.section("derived").sections())
    derived_names = tuple(kpi.name for kpi in derived)
    return Profile(
        name=root.value("name", TEXT, ""),
        description=root.value("description", TEXT, ""),
        inputs={name: _input_rules(inputs.section(name)) for name in INPUT_CONTRACTS},
        kpis=tuple(
            _kpi(source, column, table)
            for source in (SAMPLES, CALL_STATISTICS)
            for column, table in kpis.section(source, needed=True).sections()
        ),
        derived=derived,
        rules=tuple(_rule(kpi, table) for kpi, table in rules.sections()),
        customer_level=_level(root.section("customer_level"), derived_names),
        cell_level=_level(root.section("cell_level"), derived_names),
        join=_join_rules(root.section("join")),
        verdict=read_verdict_rule(root.section("verdict")),
        limits=_limits(root.section("limits")),
        history=_history_rules(root.section("history")),
        alarms=read_alarm_rules(root.section("alarms")) if root.has("alarms") else None,
        families=read_families(root.section("families")),
        diagnoses=read_diagnoses(root.section("diagnoses")),
        peers=read_peers(root.section("peers")) if root.has("peers") else None,
    )


def _input_rules(table: Section) -> InputRules:
    default = InputRules()
    missing_texts = table.value("missing_texts", list_of(TEXT), default.missing_texts)
    return InputRules(
        rows_per_key=table.value("rows_per_key", WHOLE, default.rows_per_key),
        keep_where=_conditions(table.section("keep_where")),
        suspect_where=_conditions(table.section("suspect_where")),
        reject_duplicates=table.value("reject_duplicates", TRUTH, default.reject_duplicates),
        missing_texts=tuple(text.lower() for text in missing_texts),
        decimal=table.value("decimal", TEXT, default.decimal),
        delimiter=table.value("delimiter", TEXT, default.delimiter),
        encoding=table.value("encoding", TEXT, default.encoding),
        ignore=table.value("ignore", list_of(TEXT), default.ignore),
        columns=tuple(table.section("columns").all_values(TEXT).items()),
    )


def _conditions(table: Section) -> tuple[Condition, ...]:
    found = table.all_values(CONDITION)
    return tuple((column, *condition) for column, condition in found.items())


def _condition(found: object) -> tuple[str, str | float] | None:
    matched = KEEP_WHERE.fullmatch(found.strip()) if isinstance(found, str) else None
    if not matched:
        return None
    operator, value = matched.groups()
    try:
        return operator, float(value)
    except ValueError:
        return operator, value


CONDITION: Kind[tuple[str, str | float]] = Kind(
    'an operator and a value, such as "> 1000" or "= Yes"', _condition, ("=", "")
)


def _kpi(source: str, column: str, table: Section) -> Kpi:
    name = table.value("name", TEXT, column)
    return Kpi(
        column=column,
        name=_legal_column(name, table, "set a `name`"),
        source=source,
        unit=table.value("unit", TEXT, ""),
        meaning=table.value("meaning", TEXT, ""),
        minimum=table.value("minimum", NUMBER, None),
        maximum=table.value("maximum", NUMBER, None),
        sentinels=table.value("sentinels", list_of(NUMBER), ()),
    )


def _derived(name: str, table: Section) -> DerivedKpi:
    return DerivedKpi(
        name=_legal_column(name, table, "choose a name"),
        formula=table.value("formula", one_of(Formula), Formula.RATIO),
        first=table.needed("first", TEXT),
        second=table.needed("second", TEXT),
        unit=table.value("unit", TEXT, ""),
        meaning=table.value("meaning", TEXT, ""),
        minimum_denominator=table.value("minimum_denominator", NUMBER, 0.0),
    )


def _rule(kpi: str, table: Section) -> Rule:
    flag = table.value("flag", TEXT, f"{kpi}_Thrsld")
    return Rule(
        kpi=kpi,
        flag=_legal_column(flag, table, "set a `flag`"),
        bad_when=table.needed("bad_when", one_of(Direction)),
        method=table.needed("method", one_of(Method)),
        k=table.value("k", NUMBER, 0.0),
        q=table.value("q", NUMBER, None),
        value=table.value("value", NUMBER, None),
        ignore_below=table.value("ignore_below", NUMBER, 0.0),
        at_least=table.value("at_least", NUMBER, None),
        at_most=table.value("at_most", NUMBER, None),
        warn_k=table.value("warn_k", NUMBER, None),
        scale=table.value("scale", one_of(Scale), Scale.LINEAR),
        offset=table.value("offset", NUMBER, 0.0),
        smallest_factor=table.value("smallest_factor", NUMBER, 1.0),
        limit=table.value("limit", NUMBER, None),
        family=table.value("family", TEXT, None),
    )


def _legal_column(name: str, table: Section, remedy: str) -> str:
    if not LEGAL_COLUMN.fullmatch(name):
        table.refuse(
            f"would be published as {name!r}, which BigQuery refuses; {remedy} of letters, digits "
            "and underscores"
        )
    return name


def _level(table: Section, derived: tuple[str, ...]) -> Level:
    return Level(
        missing=table.value("missing", one_of(MissingPolicy), MissingPolicy.NO_DATA),
        derived=table.value("derived", list_of(TEXT), derived),
        minimum_baseline_count=table.value("minimum_baseline_count", WHOLE, 1),
        standard_errors=table.value("standard_errors", TRUTH, False),
    )


def _join_rules(table: Section) -> JoinRules:
    default = JoinRules()
    return JoinRules(
        keep_customers_without_samples=table.value(
            "keep_customers_without_samples", TRUTH, default.keep_customers_without_samples
        ),
        keep_cells_without_customers=table.value(
            "keep_cells_without_customers", TRUTH, default.keep_cells_without_customers
        ),
        minimum_samples=table.value("minimum_samples", WHOLE, default.minimum_samples),
        minimum_call_rows=table.value("minimum_call_rows", WHOLE, default.minimum_call_rows),
        minimum_customers=table.value("minimum_customers", WHOLE, default.minimum_customers),
    )


def _history_rules(table: Section) -> HistoryRules:
    default = HistoryRules()
    return HistoryRules(
        **{name: table.value(name, WHOLE, days) for name, days in asdict(default).items()}
    )


def _limits(table: Section) -> Limits:
    default = Limits()
    return Limits(
        **{name: table.value(name, NUMBER, share) for name, share in asdict(default).items()}
    )
