"""What `--help` tells: of every command its own options, with ranges, defaults and examples."""

import argparse
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from atoms_campaigns_mcp import NAME
from atoms_campaigns_mcp.cli.main import COMMANDS
from atoms_campaigns_mcp.cli.parser import SHARED, parser
from atoms_campaigns_mcp.cli.start import main
from atoms_campaigns_mcp.config.settings import SETTINGS

OWN = {
    "serve": {"--http", "--auth", "--guard"},
    "call": {"TOOL", "key=value", "--json"},
    "watch": {"ID"},
    "tools": {"NAME"},
    "doctor": {"--http", "--auth", "--json"},
    "guard": {"--resume", "--once", "--dry-run"},
    "journal": {
        *("--limit", "--unfinished", "--subject", "--campaign", "--since", "--mode", "--prune"),
        *("--json", "--csv"),
    },
    "install": {
        "CLIENT",
        "--url",
        "--auth",
        "--print",
        "--remove",
        "--server-name",
        "--with-key",
    },
    "sandbox": {"reset", "--port", "--db", "--speed", "--seed"},
    "sandbox serve": {"--port", "--db", "--speed", "--seed"},
    "sandbox reset": {"--db"},
    "demo": set[str](),
    "completion": {"bash", "zsh"},
}
SECRET = {f"--{row.name.replace('_', '-')}" for row in SETTINGS if row.secret}
SETTING = {f"--{row.name.replace('_', '-')}": row for row in SETTINGS if not row.secret}
# What a command has flags for, beside its own; serve has all.
TAKES = {
    "call": {"--max-contacts", "--confirm", "--files", "--state", "--sandbox-speed", "--rate"},
    "watch": {"--state", "--sandbox-speed", "--rate", "--live"},
    "tools": {"--read-only", "--no-dial"},
    "guard": {"--calling-hours", "--guard-spend", "--state", "--log-level"},
    "journal": {"--state"},
    "doctor": {"--max-contacts", "--oauth-issuer", "--allowed-hosts", "--guard-spend", "--state"},
}
NOT_TAKEN = {
    "call": {"--allowed-hosts", "--oauth-issuer", "--guard-spend", "--journal-days"},
    "watch": {"--allowed-hosts", "--guard-spend", "--max-contacts", "--confirm"},
    "guard": {"--allowed-hosts", "--oauth-issuer", "--confirm"},
    "doctor": {"--log"},
}


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    return capsys.readouterr().out


def flags(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z-]+\b", text)) - {"--help"}


def commands(
    of: argparse.ArgumentParser | None = None, name: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command, and those within one."""
    listed: list[Any] = list((of or parser())._actions)  # noqa: SLF001 - argparse lists them nowhere else
    for action in listed:
        if action.nargs == argparse.PARSER:
            choices: dict[str, argparse.ArgumentParser] = action.choices
            for word, found in choices.items():
                yield f"{name} {word}".strip(), found
                yield from commands(found, f"{name} {word}".strip())


def test_every_command_is_carried_out_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    names = {name for name, _ in commands()}
    assert names == set(OWN) == set(COMMANDS)
    assert {name for name in OWN if " " not in name} <= set(shown(capsys).split())


@pytest.mark.parametrize("command", OWN)
def test_the_help_of_a_command_names_its_own_arguments(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = shown(capsys, *command.split()).partition("\nsettings:")[0]
    assert OWN[command] <= set(re.findall(r"[\w=-]+", own))
    assert len(own.splitlines()) <= 32


@pytest.mark.parametrize("command", OWN)
def test_the_help_of_a_command_has_settings_that_matter_to_it_and_no_other(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    usage, _, rest = shown(capsys, *command.split()).partition("\n\n")
    settings = flags(rest.partition("\nsettings:")[2].partition("\nexamples:")[0])
    assert TAKES.get(command, set()) <= settings
    assert not NOT_TAKEN.get(command, set()) & settings
    assert not flags(usage) & SETTING.keys()
    if command == "serve":
        assert SETTING.keys() <= settings
    elif command not in TAKES:
        assert not settings


@pytest.mark.parametrize("command", OWN)
def test_no_command_takes_a_secret_which_ps_would_show(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not SECRET & flags(shown(capsys, *command.split()))


@pytest.mark.parametrize("command", OWN)
def test_every_option_is_explained_and_every_number_has_its_range_and_default(
    command: str,
) -> None:
    for action in dict(commands())[command]._actions:  # noqa: SLF001
        assert action.help, action.dest
        row = next((row for row in SETTINGS if row.name == action.dest), None)
        if action.metavar in {"N", "PORT", "N|max", "DAYS", "PERCENT"}:
            assert re.search("whole number|from 1|above 0|0 to|percentage", action.help)
        if row and row.default and not row.switch:
            assert f"default {row.default}" in action.help
        if row is None and action.nargs != 0 and not action.required and action.option_strings:
            told = action.default in {None, "", argparse.SUPPRESS} or "default" in action.help
            assert told, action.dest


@pytest.mark.parametrize("command", OWN)
def test_a_command_shows_examples_that_it_takes(command: str) -> None:
    text = dict(commands())[command].epilog or ""
    head, *lines = text.splitlines()
    assert head == "examples:"
    assert lines
    for line in lines:
        name, *words = shlex.split(line)
        args, rest = parser().parse_known_args(words)
        assert (name, rest) == (NAME, [])
        assert args.command.startswith(command)


def test_settings_are_flags_of_the_commands_that_they_matter_to() -> None:
    of_serve = {action.dest for action in dict(commands())["serve"]._actions}  # noqa: SLF001
    assert of_serve >= SHARED
