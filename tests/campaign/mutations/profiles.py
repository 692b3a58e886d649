"""Profiles after edits."""

from tests.campaign.case import PROFILE, Case
from tests.campaign.mutations.kinds import of_kind
from tests.campaign.profiles import edited


@of_kind("profiles")
def edited_profile(case: Case) -> None:
    """What a profile says after it was edited is right, or told by check-config."""
    case.profile = edited(case.source, f'name = "campaign"\n{PROFILE}')
    case.refuse()
    case.is_counted = case.is_judged = case.alarms_known = False
    for source, one in case.inputs.items():
        case.spoilt_rows[source] += len(one.rows)
        case.spoilt_values[source] += len(one.rows)
