"""Says everything that is wrong with a profile."""

import argparse

from anomaly import load_profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `check-config`."""
    parser.add_argument("profile", help="a TOML file, or the name of one that comes along")


def run(options: argparse.Namespace) -> None:
    """Load the profile. Raises ConfigurationError with all problems."""
    profile = load_profile(options.profile)
    print(
        f"{profile.fingerprint}: {len(profile.kpis)} KPIs, {len(profile.rules)} rules, no problems"
    )
