"""What a check found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; `fix` says what to do, and is empty only when all is well."""

    name: str
    status: Status
    text: str
    fix: str = ""


def ok(name: str, text: str) -> Check:
    """Report that there is nothing to do."""
    return Check(name, "ok", text)


def warning(name: str, text: str, fix: str) -> Check:
    """Report that the server works, but not as it should, or that something is not known."""
    return Check(name, "warning", text, fix)


def failed(name: str, text: str, fix: str) -> Check:
    """Report that something does not work until it is fixed."""
    return Check(name, "failed", text, fix)
