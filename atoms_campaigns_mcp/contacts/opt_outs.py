"""What a list's own columns say about calling its contacts: Do Not Call, Opted Out, Consent."""

import re
from collections.abc import Mapping
from functools import lru_cache

from atoms_campaigns_mcp.contacts.vocabulary import fold

# Not of e-mails or text messages: whoever wants none of those may still want a call.
_NO_CALLS = re.compile(
    r"(?:donot(?:call|contact|phone|disturb|dial)|dontcall|dnc|dnd|ondnc|nocalls?"
    r"|dnd?c?(?:list|flag|status)|(?:phone|call|has|is)*(?:optedout|optout|unsubscribed)"
    r"(?:of|from|calls|phone)*|nepasappeler|nollamar|nichtanrufen|nichtkontaktieren|naoligar"
    r"|nonchiamare|robinson|bloctel|telephonepreferenceservice|tps|blocked|blacklisted"
    r"|donotcall(?:list|flag|registry))[0-9]*"
)
_SINCE = re.compile(
    r"(?:phone|call|has|is)*(?:optedout|optout|unsubscribed|dnc|donotcall|donotcontact|blocked)"
    r"(?:at|on|date|since|time|timestamp)"
)
_MAY_CALL = re.compile(
    r"(?:phone|call|voice|marketing|tcpa)*(?:consent|permission|optin|optedin|canbecalled)"
    r"(?:to|call|calls|given|status|phone|marketing)*|cancall|maycall|oktocall|accepts?calls"
)
_DATE = re.compile(r"\D*(?:\d\D*){6,}")
_YES = frozenset(
    "true yes y 1 x t on si oui ja sim da dnd dnc donotcall donotcontact donotdisturb blocked"  # noqa: SIM905
    " optedout optout unsubscribed registered".split()
)
_NO = frozenset(
    "false no n 0 f off non nein nao never denied declined refused optedout optout revoked"  # noqa: SIM905
    " withdrawn unsubscribed donotcall".split()
)


@lru_cache(maxsize=4096)
def speaks_of_calls(name: str) -> bool:
    """Whether a column of that name says whether its contact may be called."""
    joined = fold(name)
    return any(kind.fullmatch(joined) for kind in (_NO_CALLS, _SINCE, _MAY_CALL))


def forbids_calls(name: str, cell: str) -> bool:
    """Whether a column of that name says in this cell: do not call."""
    if not speaks_of_calls(name):
        return False
    joined = fold(name)
    if _NO_CALLS.fullmatch(joined):
        return fold(cell) in _YES
    return bool(_DATE.fullmatch(cell)) if _SINCE.fullmatch(joined) else fold(cell) in _NO


def opted_out(data: Mapping[str, object]) -> bool:
    """Whether any of a contact's own columns says not to call it."""
    return any(forbids_calls(name, str(held)) for name, held in data.items())
