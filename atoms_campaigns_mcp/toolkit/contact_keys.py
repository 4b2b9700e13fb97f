"""How contacts are told apart while their numbers are masked: keys, and the names they have."""

import base64
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from atoms_campaigns_mcp.contacts.numbers.stored import as_digits
from atoms_campaigns_mcp.results.csv_export import hidden
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.toolkit.context import ToolContext

NAME_MAX = 80  # characters of a contact's name; a page has a hundred
NAME_COLUMNS = ("name", "Name", "full_name", "first_name", "firstName")
KEY_BYTES = 5  # eight letters: among 10,000 contacts two share a key once in 20,000 lists


def contact_keys(ctx: ToolContext) -> Callable[[str], str]:
    """Return what gives a number's key, the same in every call on the account.

    Every spelling of a number has the same one. It is a keyed hash, so that nobody without the
    server's secret can find the number by trying.
    """
    secret = hmac.digest(ctx.sampling(), b"contact keys", "sha256")

    def key_of(number: str) -> str:
        digits = as_digits(number) or number
        hashed = hmac.digest(secret, digits.encode(), "sha256")[:KEY_BYTES]
        return base64.b32encode(hashed).decode().lower()

    return key_of


def name_of(data: Mapping[str, Any], phone: str, ctx: ToolContext) -> str | None:
    """Return the name of a contact by its columns, with numbers in it masked; None without one."""
    name = next((str(data[column]) for column in NAME_COLUMNS if data.get(column)), "")
    return clean(name if ctx.operator.show_numbers else hidden(name, phone), limit=NAME_MAX) or None
