"""Lists the problems of a profile."""

import argparse

from anomaly import load_profile


def run(options: argparse.Namespace) -> None:
    """Load the profile. Raises ConfigurationError, which lists all problems."""
    profile = load_profile(options.profile)
    print(
        f"{profile.fingerprint}: {len(profile.kpis)} KPIs, {len(profile.rules)} rules, no problems"
    )
    print("No input files were looked at; a run checks them first.")
