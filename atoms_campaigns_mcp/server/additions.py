"""What hosts are known to add to the arguments of every call; it means nothing to a tool.

A name goes in here only with a report of a host that really sends it.
"""

ADDITIONS = {
    "wait_for_previous": "Gemini CLI 0.61.0",
    "task_progress": "Cline (cline/cline#9684)",
    "toolCallId": "n8n (n8n-io/n8n#21500, #21716)",
    "sessionId": "n8n (n8n-io/n8n#22787, mpeirone/zabbix-mcp-server#27)",
    "action": "n8n (mpeirone/zabbix-mcp-server#27)",
    "chatInput": "n8n (mpeirone/zabbix-mcp-server#27)",
    "_sessionID": "SiYuan 3.7.0 (siyuan-note/siyuan#17927)",
}
"""Name of the argument, and who adds it."""
