"""Mutations of a case, by kind; importing a module registers those of its kind."""

from tests.campaign.mutations import encodings, file_names, keys, profiles, quotes, times, values
from tests.campaign.mutations.kinds import KINDS, Mutation

__all__ = [
    "KINDS",
    "Mutation",
    "encodings",
    "file_names",
    "keys",
    "profiles",
    "quotes",
    "times",
    "values",
]
