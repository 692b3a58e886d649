"""The command line: what it suggests, and what its help shows."""

import shlex
import subprocess

import pytest

from runners.cli.examples import EXAMPLES
from runners.cli.main import COMMANDS, command_parser, main


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rnu --sample", "run"),
        ("sohw out", "show"),
        ("check-confg default", "check-config"),
        ("run --proifle default", "--profile"),
        ("show out --run-dat=2026-11-01 --prefx a", "--prefix"),
        ("run --engine sial", "sail"),
        ("sample --out x --format parqet", "parquet"),
    ],
)
def test_a_misspelled_command_option_or_choice_is_reported_with_what_was_meant(
    typed, meant, capsys
):
    with pytest.raises(SystemExit) as ended:
        main(typed.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"; did you mean {meant!r}?\n")


def test_an_argument_that_is_like_no_option_is_only_refused(capsys):
    with pytest.raises(SystemExit):
        main(["check-config", "default", "--colour"])
    assert capsys.readouterr().err.endswith("unrecognized arguments: --colour\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_ends_with_examples(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    _, examples = capsys.readouterr().out.split("\nexamples:\n")
    shown = examples.replace("\\\n", " ").splitlines()
    assert shown[0].startswith("  # ")
    assert shown[1].split()[:2] == ["cell-tower-anomaly", command]


@pytest.mark.parametrize(("command", "option"), [("show", "--csv"), ("alarms", "--json")])
def test_output_for_scripts_whose_times_have_no_zone_is_said_to_be_utc(command, option, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    *_, of_option = capsys.readouterr().out.partition("\nexamples:")[0].split(f"\n  {option} ")
    assert "times are UTC" in " ".join(of_option.partition("\n  --")[0].split())


@pytest.mark.parametrize(
    "arguments", [arguments for examples in EXAMPLES.values() for _, arguments in examples]
)
def test_every_example_is_a_valid_command(arguments):
    options = command_parser().parse_args(shlex.split(arguments.partition(">")[0]))
    assert options.command == arguments.split()[0]


def test_a_shell_completes_commands_options_and_choices(tmp_path, capsys):
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    asked = {("sh",): "show", ("show", "--pre"): "--prefix", ("run", "--engine", "sa"): "sail"}
    for words, completed in asked.items():
        typed = ["cell-tower-anomaly", *words]
        program = f"""
            source {script}
            COMP_WORDS=({shlex.join(typed)}) COMP_CWORD={len(words)}
            completes=$(complete -p {typed[0]} | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
            $completes {typed[0]} {typed[-1]} {typed[-2]}
            echo "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [completed]
