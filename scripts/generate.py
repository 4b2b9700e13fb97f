"""Write what is derived from the code: tool catalogue, manifests, plugins, reference pages, README.

With --check nothing is written; the exit status says whether everything is up to date.
"""

import json
import re
import sys
from pathlib import Path

from conversation import conversation
from greetings import greetings
from hosts import environment_table, hosts_table
from manifests import manifests
from plugins import buttons, plugins
from project import registry_name
from reference import reference

from atoms_campaigns_mcp.server.mcp.json_schema import describe
from atoms_campaigns_mcp.server.stdio.early import GREETINGS
from atoms_campaigns_mcp.tool_calls.catalog import SNAPSHOT
from atoms_campaigns_mcp.toolkit.registry import load, names

ROOT = Path(__file__).parent.parent
EFFECTS = {
    "reads": "**Read**",
    "changes": "**Change something**, without dialling unless noted",
    "dials": "**Dial**, after a yes",
    "destroys": "**Delete for good**, after a yes",
}


def catalogue() -> str:
    """Return the snapshot that `tools/list` is served from."""
    entries = {name: describe(load(name)) for name in names()}
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def tools_list() -> str:
    """Return the README's list of tools, by what they do."""
    by_effect: dict[str, list[str]] = {effect: [] for effect in EFFECTS}
    for name in names():
        tool = load(name)
        dials = f" (dials with `{tool.dials_when}`)" if tool.dials_when else ""
        by_effect[tool.effect].append(f"`{name}`{dials}")
    rows = (f"- {EFFECTS[effect]}: {', '.join(found)}" for effect, found in by_effect.items())
    return "\n".join(rows)


def with_block(text: str, name: str, block: str) -> str:
    """Put `block` between the markers of that name."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    return re.sub(pattern, lambda match: f"{match[1]}{block}\n{match[2]}", text, flags=re.DOTALL)


def main() -> int:
    """Write or compare every derived file."""
    readme = ROOT / "README.md"
    text = with_block(readme.read_text("utf-8"), "tools", tools_list())
    text = with_block(text, "buttons", buttons())
    text = with_block(text, "conversation", conversation())
    text = re.sub(r"<!-- mcp-name: .*? -->", f"<!-- mcp-name: {registry_name()} -->", text)
    clients = ROOT / "docs" / "clients.md"
    hosts = with_block(clients.read_text("utf-8"), "hosts", hosts_table())
    hosts = with_block(hosts, "environment", environment_table())
    wanted = {SNAPSHOT: catalogue(), readme: text, clients: hosts}
    wanted |= manifests() | plugins() | reference() | {GREETINGS: greetings()}
    stale = [p for p, new in wanted.items() if not p.exists() or p.read_text("utf-8") != new]
    for path in stale:
        if "--check" in sys.argv:
            print(f"out of date: {path.relative_to(ROOT)} (run scripts/generate.py)")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
    return int("--check" in sys.argv and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
