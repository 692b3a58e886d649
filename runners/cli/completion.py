"""Prints a script with which a shell completes commands and options."""

import argparse

import shtab

from runners.cli.main import command_parser


def run(options: argparse.Namespace) -> None:
    """Print the script."""
    print(shtab.complete(command_parser(), options.shell))
