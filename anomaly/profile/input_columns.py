"""The columns of each input that a profile reads."""

from anomaly.profile.model import Profile
from anomaly.schema.inputs import INPUT_CONTRACTS, SAMPLES


def expected_columns(source: str, profile: Profile) -> dict[str, bool]:
    """The raw columns that are read from an input, each with whether it is required."""
    fixed = {column.name: column.required for column in INPUT_CONTRACTS[source].columns}
    suspect = {column: True for column, _, _ in profile.inputs[source].suspect_where}
    peers = profile.alarms.peers_column if profile.alarms and source == SAMPLES else ""
    grouped_by = {peers: True} if peers else {}
    if profile.peers and profile.peers.input == source:
        grouped_by = {profile.peers.column: profile.peers.required} | grouped_by
    return fixed | suspect | grouped_by | {kpi.column: True for kpi in profile.kpis_of(source)}


def names_in_files(source: str, profile: Profile) -> tuple[str, ...]:
    """The names that the columns of an input may have in its files."""
    named = dict(profile.inputs[source].columns)
    names = ((column, named.get(column, column)) for column in expected_columns(source, profile))
    return tuple(dict.fromkeys(name for both in names if both[1] for name in both))
