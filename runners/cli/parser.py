"""The argument parser of the commands: suggests what was meant, and ends its help with examples."""

import argparse
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from anomaly.suggestions import did_you_mean
from runners.cli.examples import EXAMPLES

PROGRAM = "cell-tower-anomaly"


class CommandParser(argparse.ArgumentParser):
    """The parser of all commands, and of each: argparse makes the latter of the same class."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **settings)
        if self.description:
            # The formatter leaves it as it is, for the sake of the examples.
            self.description = textwrap.fill(self.description, shutil.get_terminal_size().columns)
        command = self.prog.removeprefix(PROGRAM).strip()
        if command in EXAMPLES:
            self.epilog = "examples:\n" + "\n".join(_indented(EXAMPLES[command]))

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and refuse what is left over: here the options that were meant are known."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [name for action in self._actions for name in action.option_strings]
            meant = (did_you_mean(one.partition("=")[0], known) for one in unknown)
            first = next(filter(None, meant), "")
            self.error(f"unrecognized arguments: {' '.join(unknown)}{first}")
        return options, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(value, action.choices or ())
            raise


def _indented(examples: Iterable[tuple[str, str]]) -> Iterable[str]:
    for meaning, arguments in examples:
        yield f"  # {meaning}"
        yield f"  {PROGRAM} {arguments}".replace("\n", " \\\n      ")
