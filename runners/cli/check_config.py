"""Lists the problems of a profile."""

import argparse

from anomaly import load_profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `check-config`."""
    parser.add_argument("profile", help="a TOML file, or a shipped profile: default, lab")


def run(options: argparse.Namespace) -> None:
    """Load the profile. Raises ConfigurationError, which lists all problems."""
    profile = load_profile(options.profile)
    print(
        f"{profile.fingerprint}: {len(profile.kpis)} KPIs, {len(profile.rules)} rules, no problems"
    )
