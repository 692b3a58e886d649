"""Some cases of the fuzz campaign on whole commands; `python -m tests.campaign` runs many."""

import pytest

from tests.campaign.commands import ended
from tests.campaign.oracle import faults_of_words
from tests.campaign.profiles import write_profile
from tests.campaign.runs import Campaign

pytestmark = pytest.mark.slow
# One of each kind, and some of two or three.
SEEDS = (3, 8, 12, 17, 21)
EDITED_PROFILES = 300


@pytest.fixture(scope="module")
def campaign(spark, tmp_path_factory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("campaign"))


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_goes_wrong_unseen(campaign, seed):
    found = campaign.run(seed)
    assert [(one.words, one.case.mutations, one.ended.err) for one in found] == []


def test_whatever_a_profile_says_it_is_right_or_its_faults_are_told(tmp_path):
    found = {}
    for seed in range(EDITED_PROFILES):
        checked = ended(["check-config", str(write_profile(seed, tmp_path))], tmp_path)
        if checked.code not in (0, 2) or faults_of_words(checked):
            found[seed] = checked
    assert found == {}
