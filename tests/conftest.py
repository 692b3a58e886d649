"""One Spark session for the whole run; the real inputs, where they are there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from runners.session import local_session

REAL_DATA = Path(__file__).parents[2] / "shared"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests of the real inputs where there are none, visibly; never in CI."""
    if REAL_DATA.is_dir() or os.environ.get("CI") == "true":
        return
    without = [item for item in items if item.get_closest_marker("real_data")]
    items[:] = [item for item in items if item not in without]
    config.hook.pytest_deselected(items=without)
    print(f"real_data: {len(without)} tests left out, no ../shared here")


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = local_session("local[2]")
    session.conf.set("spark.sql.shuffle.partitions", "2")
    yield session
    session.stop()
