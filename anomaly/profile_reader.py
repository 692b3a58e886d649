"""Reads a profile from TOML, or says everything that is wrong with it at once."""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, fields
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from anomaly.contracts import CALL_STATISTICS, INPUT_CONTRACTS, SAMPLES
from anomaly.errors import ConfigurationError
from anomaly.profile import (
    DerivedKpi,
    Direction,
    Formula,
    InputRules,
    JoinRules,
    Kpi,
    Level,
    Limits,
    Method,
    MissingPolicy,
    Profile,
    Rule,
    VerdictRule,
)

Table = dict[str, Any]
Choice = TypeVar("Choice", bound=Enum)
Settings = TypeVar("Settings")

# BigQuery: letters, digits and underscores, not starting with a digit, at most 300 characters.
# https://cloud.google.com/bigquery/docs/schemas#column_names
LEGAL_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
KEEP_WHERE = re.compile(r"(=|!=|>=|<=|>|<)\s*(.+)")
TEXT, NUMBER, WHOLE, TRUTH = str, (int, float), int, bool


def shipped_profiles() -> Path:
    """The folder of the profiles that come with the library, installed or in a checkout."""
    installed = Path(__file__).parent / "conf"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "conf"


def load_profile(source: str | Path) -> Profile:
    """Load a profile from a TOML file, or a shipped one by its name ("default", "lab").

    Raises ConfigurationError, which lists every fault of the file.
    """
    path = Path(source)
    if not path.is_file():
        path = shipped_profiles() / f"{path.stem}.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in shipped_profiles().glob("*.toml")))
        raise ConfigurationError(
            f"profile {source}", [f"no such file; give a path or one of: {known}"]
        )
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
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(subject, [f"is not valid TOML: {error}"]) from error
    faults: list[str] = []
    profile = _Reader(faults).profile(table)
    if not faults:
        faults += _contradictions(profile)
    if faults:
        raise ConfigurationError(subject, faults)
    return profile


class _Reader:
    """Turns tables into dataclasses and collects what is wrong instead of raising."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults

    def profile(self, table: Table) -> Profile:
        known = ["name", "description", "inputs", "kpis", "derived", "rules", "customer_level"]
        self.refuse_unknown(
            table, [*known, "cell_level", "join", "verdict", "limits"], "the profile"
        )
        kpis = self.table(table, "kpis", "the profile", required=True)
        self.refuse_unknown(kpis, [SAMPLES, CALL_STATISTICS], "[kpis]")
        rules = self.table(table, "rules", "the profile", required=True)
        return Profile(
            name=self.value(table, "name", TEXT, "the profile", ""),
            description=self.value(table, "description", TEXT, "the profile", ""),
            inputs=self.inputs(self.table(table, "inputs", "the profile")),
            kpis=tuple(
                self.kpi(source, column, self.table(kpis[source], column, f"[kpis.{source}]"))
                for source in (SAMPLES, CALL_STATISTICS)
                for column in self.table(kpis, source, "[kpis]", required=True)
            ),
            derived=tuple(
                self.derived(name, settings) for name, settings in self.tables(table, "derived")
            ),
            rules=tuple(self.rule(kpi, settings) for kpi, settings in rules.items()),
            customer_level=self.level(table, "customer_level"),
            cell_level=self.level(table, "cell_level"),
            join=self.plain(JoinRules, table, "join"),
            verdict=self.plain(VerdictRule, table, "verdict"),
            limits=self.plain(Limits, table, "limits"),
        )

    def inputs(self, table: Table) -> dict[str, InputRules]:
        self.refuse_unknown(table, list(INPUT_CONTRACTS), "[inputs]")
        return {
            name: self.input_rules(self.table(table, name, "[inputs]"), f"[inputs.{name}]")
            for name in INPUT_CONTRACTS
        }

    def input_rules(self, table: Table, where: str) -> InputRules:
        self.refuse_unknown(table, _names(InputRules), where)
        default = InputRules()
        conditions = self.table(table, "keep_where", where)
        return InputRules(
            rows_per_key=self.value(table, "rows_per_key", WHOLE, where, default.rows_per_key),
            keep_where=tuple(
                self.condition(column, self.value(conditions, column, TEXT, where, ""), where)
                for column in conditions
            ),
            missing_texts=tuple(
                text.lower()
                for text in self.values(table, "missing_texts", TEXT, where, default.missing_texts)
            ),
            encoding=self.value(table, "encoding", TEXT, where, default.encoding),
        )

    def condition(self, column: str, text: str, where: str) -> tuple[str, str, str | float]:
        matched = KEEP_WHERE.fullmatch(text.strip())
        if not matched:
            self.faults.append(
                f"{where} keep_where.{column} is {text!r}; write an operator and a value, "
                'such as "> 1000" or "= Yes"'
            )
            return (column, "=", "")
        operator, value = matched.groups()
        try:
            return (column, operator, float(value))
        except ValueError:
            return (column, operator, value)

    def kpi(self, source: str, column: str, table: Table) -> Kpi:
        where = f"[kpis.{source}.{column}]"
        self.refuse_unknown(
            table, ["name", "unit", "meaning", "minimum", "maximum", "sentinels"], where
        )
        return Kpi(
            column=column,
            name=self.column_name(self.value(table, "name", TEXT, where, column), where),
            source=source,
            unit=self.value(table, "unit", TEXT, where, ""),
            meaning=self.value(table, "meaning", TEXT, where, ""),
            minimum=self.number(table, "minimum", where),
            maximum=self.number(table, "maximum", where),
            sentinels=tuple(
                float(number) for number in self.values(table, "sentinels", NUMBER, where, ())
            ),
        )

    def derived(self, name: str, table: Table) -> DerivedKpi:
        where = f"[derived.{name}]"
        self.refuse_unknown(table, _names(DerivedKpi), where)
        return DerivedKpi(
            name=self.column_name(name, where),
            formula=self.choice(table, "formula", Formula, where, Formula.RATIO),
            first=self.value(table, "first", TEXT, where, None, required=True),
            second=self.value(table, "second", TEXT, where, None, required=True),
            unit=self.value(table, "unit", TEXT, where, ""),
            meaning=self.value(table, "meaning", TEXT, where, ""),
        )

    def rule(self, kpi: str, table: Any) -> Rule:
        where = f"[rules.{kpi}]"
        if not isinstance(table, dict):
            self.faults.append(f"{where} must be a table")
            table = {}
        self.refuse_unknown(table, [*_names(Rule)[1:]], where)
        return Rule(
            kpi=kpi,
            flag=self.column_name(self.value(table, "flag", TEXT, where, f"{kpi}_Thrsld"), where),
            bad_when=self.choice(table, "bad_when", Direction, where, None),
            method=self.choice(table, "method", Method, where, None),
            k=float(self.value(table, "k", NUMBER, where, 0.0)),
            q=self.number(table, "q", where),
            value=self.number(table, "value", where),
            smallest_change=float(self.value(table, "smallest_change", NUMBER, where, 0.0)),
        )

    def level(self, table: Table, name: str) -> Level:
        where = f"[{name}]"
        settings = self.table(table, name, "the profile")
        self.refuse_unknown(settings, _names(Level), where)
        derived = self.table(table, "derived", "the profile")
        return Level(
            missing=self.choice(settings, "missing", MissingPolicy, where, MissingPolicy.NO_DATA),
            derived=tuple(self.values(settings, "derived", TEXT, where, tuple(derived))),
            minimum_baseline_count=self.value(settings, "minimum_baseline_count", WHOLE, where, 1),
        )

    def plain(self, kind: type[Settings], table: Table, name: str) -> Settings:
        """A dataclass of optional numbers and truths, each named as its field."""
        where = f"[{name}]"
        settings = self.table(table, name, "the profile")
        self.refuse_unknown(settings, _names(kind), where)
        values: Table = {}
        for field in fields(kind):  # type: ignore[arg-type]
            default = None if field.default is MISSING else field.default
            kinds = {"bool": TRUTH, "int": WHOLE, "int | None": WHOLE}.get(
                str(getattr(field.type, "__name__", field.type)), NUMBER
            )
            values[field.name] = self.value(settings, field.name, kinds, where, default)
        return kind(**values)

    # --- single settings ------------------------------------------------------------------------

    def table(self, parent: Any, key: str, where: str, required: bool = False) -> Table:
        found = parent.get(key) if isinstance(parent, dict) else None
        if found is None and not required:
            return {}
        if not isinstance(found, dict):
            self.faults.append(f"{where} needs a table {key!r}")
            return {}
        return found

    def tables(self, parent: Table, key: str) -> list[tuple[str, Table]]:
        found = self.table(parent, key, "the profile")
        return [(name, self.table(found, name, f"[{key}]")) for name in found]

    def value(
        self, table: Table, key: str, kind: Any, where: str, default: Any, required: bool = False
    ) -> Any:
        if key not in table:
            if required:
                self.faults.append(f"{where} needs the setting {key!r}")
            return default
        found = table[key]
        # In Python a bool is an int; in a profile `k = true` is a mistake.
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not TRUTH):
            self.faults.append(f"{where} {key} is {found!r}; it must be {_in_words(kind)}")
            return default
        if isinstance(found, float) and not abs(found) < float("inf"):
            self.faults.append(f"{where} {key} is {found!r}; it must be finite")
            return default
        return found

    def number(self, table: Table, key: str, where: str) -> float | None:
        found = self.value(table, key, NUMBER, where, None)
        return None if found is None else float(found)

    def values(self, table: Table, key: str, kind: Any, where: str, default: Any) -> Any:
        found = table.get(key, default)
        if not isinstance(found, list | tuple) or not all(
            isinstance(one, kind) and not isinstance(one, bool) for one in found
        ):
            self.faults.append(
                f"{where} {key} is {found!r}; it must be a list of {_in_words(kind)}"
            )
            return default
        return found

    def choice(
        self, table: Table, key: str, kind: type[Choice], where: str, default: Choice | None
    ) -> Any:
        found = table.get(key, default)
        try:
            return kind(found)
        except ValueError:
            options = ", ".join(str(option.value) for option in kind)
            missing = f"{where} needs the setting {key!r}"
            wrong = f"{where} {key} is {found!r}"
            self.faults.append(f"{missing if found is None else wrong}; one of: {options}")
            return next(iter(kind))

    def column_name(self, name: str, where: str) -> str:
        if not LEGAL_COLUMN.fullmatch(name):
            self.faults.append(
                f"{where} would be published as {name!r}, which BigQuery refuses; set `name` to "
                "letters, digits and underscores"
            )
        return name

    def refuse_unknown(self, table: Table, known: list[str], where: str) -> None:
        for key in table:
            if key not in known:
                self.faults.append(
                    f"{where} has an unknown setting {key!r}; known are: {', '.join(known)}"
                )


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


def _in_words(kind: Any) -> str:
    return {TEXT: "text", NUMBER: "a number", WHOLE: "a whole number", TRUTH: "true or false"}[kind]


def _contradictions(profile: Profile) -> list[str]:
    """Faults that show only when the settings are seen together."""
    return [
        *_clashing_names(profile),
        *_unknown_kpis(profile),
        *(fault for rule in profile.rules for fault in _rule_faults(rule)),
        *_range_faults(profile),
        *_verdict_faults(profile),
    ]


def _clashing_names(profile: Profile) -> list[str]:
    faults = [] if profile.name else ["the profile needs a name"]
    published = [profile.column_of(kpi.name) for kpi in (*profile.kpis, *profile.derived)]
    published += [rule.flag for rule in profile.rules]
    # BigQuery compares column names without regard to case.
    counted = Counter(name.lower() for name in published)
    for name in sorted({name for name in published if counted[name.lower()] > 1}):
        columns = [kpi.column for kpi in profile.kpis if kpi.average.lower() == name.lower()]
        origin = f" (from {' and '.join(columns)})" if columns else ""
        faults.append(f"two columns would be published as {name!r}{origin}; rename one by `name`")
    return faults


def _unknown_kpis(profile: Profile) -> list[str]:
    measured = {kpi.name for kpi in profile.kpis}
    derived = {kpi.name for kpi in profile.derived}
    faults = [
        f"[derived.{kpi.name}] uses {name!r}, which is no measured KPI"
        for kpi in profile.derived
        for name in (kpi.first, kpi.second)
        if name not in measured
    ]
    faults += [
        f"[rules.{rule.kpi}] judges {rule.kpi!r}, which is neither measured nor derived"
        for rule in profile.rules
        if rule.kpi not in measured | derived
    ]
    for name, level in (("customer", profile.customer_level), ("cell", profile.cell_level)):
        if sorted(level.derived) != sorted(derived):
            faults.append(
                f"[{name}_level] derived must list each derived KPI once: "
                f"{', '.join(sorted(derived)) or '(none)'}"
            )
        if level.minimum_baseline_count < 1:
            faults.append(f"[{name}_level] minimum_baseline_count must be at least 1")
    return faults


def _rule_faults(rule: Rule) -> list[str]:
    where = f"[rules.{rule.kpi}]"
    faults = []
    if (rule.value is not None) != (rule.method is Method.STATIC):
        faults.append(f"{where} needs `value` with the method static, and only then")
    if (rule.q is not None) != (rule.method is Method.QUANTILE):
        faults.append(f"{where} needs `q` with the method quantile, and only then")
    if rule.q is not None and not 0 <= rule.q <= 1:
        faults.append(f"{where} q is {rule.q}; it must lie between 0 and 1")
    if rule.k < 0 or rule.smallest_change < 0:
        faults.append(f"{where} k and smallest_change must not be negative")
    if rule.k and rule.method is not Method.MEDIAN_IQR:
        faults.append(f"{where} k multiplies a spread; the method {rule.method.value} has none")
    return faults


def _range_faults(profile: Profile) -> list[str]:
    faults = [
        f"[kpis.{kpi.source}.{kpi.column}] minimum {kpi.minimum} is above maximum {kpi.maximum}"
        for kpi in profile.kpis
        if kpi.minimum is not None and kpi.maximum is not None and kpi.minimum > kpi.maximum
    ]
    shares: Mapping[str, float] = {
        "[limits] largest_rejected_share": profile.limits.largest_rejected_share,
        "[limits] smallest_match_rate": profile.limits.smallest_match_rate,
    }
    faults += [
        f"{where} is {share}; it must lie between 0 and 1"
        for where, share in shares.items()
        if not 0 <= share <= 1
    ]
    for name, rules in profile.inputs.items():
        if rules.rows_per_key < 0:
            faults.append(f"[inputs.{name}] rows_per_key must not be negative; 0 means all")
        known = {column.name for column in INPUT_CONTRACTS[name].columns}
        faults += [
            f"[inputs.{name}] keep_where names {column!r}; it may name {', '.join(sorted(known))}"
            for column, _, _ in rules.keep_where
            if column not in known
        ]
    return faults


def _verdict_faults(profile: Profile) -> list[str]:
    verdict = profile.verdict
    if (verdict.minimum_defects is None) == (verdict.minimum_defect_share is None):
        return ["[verdict] needs either minimum_defects or minimum_defect_share"]
    if verdict.minimum_defect_share is not None and not 0 < verdict.minimum_defect_share <= 1:
        return ["[verdict] minimum_defect_share must be above 0 and at most 1"]
    return []
