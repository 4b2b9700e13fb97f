"""Configuration files as data: read, changed in one entry, and written as they were otherwise."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, cast

from atoms_campaigns_mcp.cli.install.clients import Client
from atoms_campaigns_mcp.cli.install.entry import Entry, dict_of
from atoms_campaigns_mcp.errors import ConfigurationError

BOM = "\ufeff"  # some editors of Windows begin a file with it


def read(client: Client, text: str) -> dict[str, Any]:
    """Parse a file; one of white space only counts as empty.

    Raises:
        ConfigurationError: It cannot be parsed, or holds something else than a table of servers.
    """
    text = text.removeprefix(BOM)
    try:
        if client.toml:
            data: Any = tomllib.loads(text)
        else:
            data = json.loads(text, object_pairs_hook=_once) if text.strip() else {}
    except ValueError as error:
        hint = " It seems to hold comments or trailing commas." if _is_jsonc(client, text) else ""
        raise ConfigurationError(
            f"{client.title}'s file cannot be parsed as {'TOML' if client.toml else 'JSON'}.{hint}",
            next_step="Nothing was changed: edit it by hand.",
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get(client.table, {}), dict):  # pyright: ignore[reportUnknownMemberType]
        raise ConfigurationError(
            f"{client.title}'s file holds no table of servers ({client.table}) where one belongs.",
            next_step="Nothing was changed: edit it by hand.",
        )
    return cast("dict[str, Any]", data)


def servers(client: Client, data: dict[str, Any]) -> Iterator[tuple[str, Entry, str]]:
    """Return every server of a file: name, entry, and the folder it is for, if for one only.

    Claude Code keeps those that a user added for one project in the same file.
    """
    for name, found in dict_of(data.get(client.table)).items():
        yield name, dict_of(found), ""
    if client.name == "claude-code":
        for folder, project in dict_of(data.get("projects")).items():
            for name, found in dict_of(dict_of(project).get(client.table)).items():
                yield name, dict_of(found), folder


def changed(client: Client, text: str, name: str, entry: Entry | None) -> str:
    """Return the file's text with `entry` under `name`, or without it if there is none.

    Raises:
        ConfigurationError: It cannot be parsed, or would not hold exactly the change.
    """
    wanted = read(client, text)
    _put(wanted, client.table, name, entry)
    new = _toml(client.table, text, name, entry) if client.toml else _json(text, wanted)
    if new is None or _meaning(client, read(client, new)) != _meaning(client, wanted):
        raise ConfigurationError(
            f"{client.title}'s file has a form that cannot be changed safely.",
            next_step="Nothing was changed: edit it by hand.",
        )
    return new


def snippet(client: Client, name: str, entry: Entry) -> str:
    """Return a file that holds nothing but the entry."""
    return changed(client, "", name, entry)


def _put(data: Any, table: str, name: str, entry: Entry | None) -> None:
    if entry is None:
        data.get(table, {}).pop(name, None)
    else:
        data.setdefault(table, {})[name] = entry


def _json(text: str, wanted: dict[str, Any]) -> str:
    indent = re.search(r"^\{\s*?\n([ \t]+)", text.removeprefix(BOM), re.MULTILINE)
    step = indent[1] if indent else "  "
    new = json.dumps(wanted, indent=step, ensure_ascii=False) + "\n"
    start = BOM if text.startswith(BOM) else ""
    return start + (new.replace("\n", "\r\n") if "\r\n" in text else new)


def _meaning(client: Client, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data without an empty table of servers, which TOML may leave out."""
    return {key: value for key, value in data.items() if key != client.table or value}


def _toml(key: str, text: str, name: str, entry: Entry | None) -> str | None:
    import tomlkit  # noqa: PLC0415 - for one client of six
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        document: Any = tomlkit.parse(text.removeprefix(BOM))
        if entry is None:
            _put(document, key, name, None)
            return tomlkit.dumps(document)
        if key not in document:
            document[key] = tomlkit.table(is_super_table=True)
        if name in document[key]:
            _update(document[key][name], entry)
        else:
            table = tomlkit.table()
            table["env"] = tomlkit.inline_table()
            _update(table, entry)
            table.add(tomlkit.nl())
            document[key][name] = table
        return tomlkit.dumps(document)
    except (TOMLKitError, ValueError):  # an inline table, for one, cannot take a table
        return None


def _update(table: Any, wanted: dict[str, Any]) -> None:
    """Change what differs, so that comments stay."""
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            _update(table[key], cast("dict[str, Any]", value))
        elif table.get(key) != value:
            table[key] = value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError("a key stands twice, and one of them would be lost")
    return data


def _is_jsonc(client: Client, text: str) -> bool:
    return not client.toml and bool(re.search(r"^\s*//|/\*|,\s*[}\]]|\s//", text, re.MULTILINE))
