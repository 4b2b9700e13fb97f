"""What hosts are known to add to the arguments of every call; it means nothing to a tool.

A name goes in here only with a report of a host that really sends it.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Addition:
    """Who adds it; and `only` with which value, where another one could mean something."""

    host: str
    only: Any = None


ADDITIONS = {
    "wait_for_previous": Addition("Gemini CLI 0.61.0"),
    "task_progress": Addition("Cline (cline/cline#9684)"),
    "toolCallId": Addition("n8n (n8n-io/n8n#21500, #21716)"),
    "sessionId": Addition("n8n (mpeirone/zabbix-mcp-server#27)"),
    "chatInput": Addition("n8n (mpeirone/zabbix-mcp-server#27)"),
    "action": Addition("n8n (mpeirone/zabbix-mcp-server#27)", only="sendMessage"),
    "_sessionID": Addition("SiYuan 3.7.0 (siyuan-note/siyuan#17927)"),
}
"""By the name of the argument."""


def is_addition(name: str, value: Any) -> bool:
    """Return whether a host adds this argument by itself."""
    known = ADDITIONS.get(name)
    return known is not None and (known.only is None or known.only == value)
