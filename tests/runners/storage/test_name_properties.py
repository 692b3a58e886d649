"""Names of places: what enters SQL is a name that Google has, and a path stays the same file."""

import os
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly import ConfigurationError
from runners.storage.local_files import absolute
from runners.storage.places import storage_of

SMALL, LETTERS = string.ascii_lowercase, string.ascii_letters + string.digits
words = st.text(SMALL + string.digits, min_size=1, max_size=10)
projects = st.builds("".join, st.tuples(st.sampled_from(SMALL), words, st.just("-"), words))
domains = st.builds("{}.{}:{}".format, words, words, projects)
datasets = st.text(LETTERS + "_", min_size=1, max_size=20)
prefixes = st.text(LETTERS + "_", max_size=20)
# Names of Google's into which something was written.
odd = st.text(alphabet="`'\";\\ \n\t-.:/aA0_é", max_size=4)
broken = st.builds("bq://{}{}.{}{}".format, projects, odd, datasets, odd)


@given(st.one_of(projects, domains), datasets, prefixes, datasets)
def test_a_place_of_bigquery_is_named_as_it_was_asked_for(project, dataset, prefix, table):
    place = storage_of(f"bq://{project}.{dataset}", prefix)
    assert str(place) == f"bq://{project}.{dataset}"
    assert place.project == project
    begin = f"{prefix}_" if prefix else ""
    assert place.full_name(table) == f"{project}.{dataset}.{begin}{table}"
    of_table = storage_of(f"bq://{project}.{dataset}.{table}", prefix)
    assert of_table.full_name("other") == f"{project}.{dataset}.{table}"


@given(st.one_of(st.text(), broken), st.one_of(prefixes, odd))
def test_what_is_taken_for_a_table_has_only_what_names_are_made_of(text, prefix):
    try:
        place = storage_of(f"bq://{text.removeprefix('bq://')}", prefix)
    except ConfigurationError as error:
        assert error.problems
    else:
        project, _, names = place.full_name("cells").partition(".")
        assert set(project + names) <= set(LETTERS + "_-.:")
        assert project
        assert names


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folders below each other, and a link that leads elsewhere."""
    folder = tmp_path_factory.mktemp("folder")
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "elsewhere" / "deep").mkdir(parents=True)
    (folder / "a" / "link").symlink_to(folder / "elsewhere" / "deep")
    return folder


parts = st.sampled_from(["a", "b", "link", "elsewhere", "..", ".", "", "x:y", "ü *"])


@given(st.lists(parts, max_size=7).map("/".join), st.booleans())
def test_a_path_that_is_made_absolute_is_the_same_file(folder, path, is_absolute):
    before = os.getcwd()
    os.chdir(folder)
    try:
        path = f"{folder}/{path}" if is_absolute else path
        found = absolute(path)
        assert os.path.realpath(found) == os.path.realpath(path)
        # Spark takes two slashes for the name of a service.
        assert found.startswith("/")
        assert not found.startswith("//")
        assert ".." not in found.split("/")
    finally:
        os.chdir(before)
