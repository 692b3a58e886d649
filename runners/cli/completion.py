"""Prints a script with which a shell completes commands and options."""

import argparse

from anomaly.errors import ConfigurationError


def run(options: argparse.Namespace) -> None:
    """Print the script. Raises ConfigurationError if the package that writes it is missing."""
    try:
        import shtab
    except ModuleNotFoundError as error:
        missing = "needs the package shtab; install it with: pip install shtab"
        raise ConfigurationError("completion", [missing]) from error
    from runners.cli.main import command_parser

    print(shtab.complete(command_parser(), options.shell))
