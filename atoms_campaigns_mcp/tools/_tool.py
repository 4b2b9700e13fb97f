"""What a tool is: one effect, arguments, a result, and a plan if it dials or destroys."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar, cast, get_type_hints

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.guardrails.plan import Plan
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import Result

A = TypeVar("A", bound=Args)
R = TypeVar("R", bound=Result)


class Effect(StrEnum):
    """What a tool does to the world; hints, modes and confirmation derive from this one word."""

    READS = "reads"
    CHANGES = "changes"
    DIALS = "dials"
    DESTROYS = "destroys"


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may use during one call.

    `now` is the clock of the API's world: the sandbox's may run faster. `sleep` takes seconds.
    `plan` holds the facts that were agreed to, for tools that have a plan.
    """

    atoms: AtomsClient
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    plan: Plan | None = None


Run = Callable[[A, ToolContext], Awaitable[R]]
Planner = Callable[[A, ToolContext], Awaitable[Plan | R]]
"""Reads the facts; gives a result instead when there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Tool(Generic[A, R]):
    """A tool as the server sees it; `tool` makes it from a function."""

    name: str
    title: str
    description: str
    effect: Effect
    arguments: type[A]
    result: type[R]
    run: Run[A, R]
    plan: Planner[A, R] | None = None
    dials_when: str = ""
    emergency: bool = False

    def plans(self, args: Args) -> bool:
        """Say whether these arguments dial or destroy, and so need a plan and a yes."""
        if self.effect in {Effect.DIALS, Effect.DESTROYS}:
            return True
        return bool(self.dials_when) and getattr(args, self.dials_when) is not None


def tool(
    effect: Effect,
    *,
    title: str,
    plan: Planner[A, R] | None = None,
    dials_when: str = "",
    emergency: bool = False,
) -> Callable[[Run[A, R]], Tool[A, R]]:
    """Make a tool of a function; its module names it, its docstring is what the agent reads.

    `dials_when` names the argument that makes a changing tool dial. An `emergency` tool goes
    ahead even if it cannot be recorded.
    """
    dangerous = effect in {Effect.DIALS, Effect.DESTROYS} or bool(dials_when)
    if dangerous != (plan is not None):
        raise TypeError("a tool has a plan if, and only if, it can dial or destroy")

    def make(run: Run[A, R]) -> Tool[A, R]:
        hints = get_type_hints(run)
        return Tool(
            name=run.__module__.rpartition(".")[2],
            title=title,
            description=" ".join((run.__doc__ or "").split()),
            effect=effect,
            arguments=cast("type[A]", hints["args"]),
            result=cast("type[R]", hints["return"]),
            run=run,
            plan=plan,
            dials_when=dials_when,
            emergency=emergency,
        )

    return make


def names() -> list[str]:
    """Give the name of every tool, found on disk, in alphabetical order."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def load(name: str) -> Tool[Any, Any]:
    """Import the tool of that name."""
    return importlib.import_module(f"atoms_campaigns_mcp.tools.{name}").run
