"""What a tool is: one effect, arguments, a result, and a plan if it dials or destroys."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast, get_type_hints

from atoms_campaigns_mcp.effects import Effect
from atoms_campaigns_mcp.guardrails.plan import Proposal
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.toolkit.context import ToolContext

A = TypeVar("A", bound=Args)
R = TypeVar("R", bound=Result)


Run = Callable[[A, ToolContext], Awaitable[R]]
Planner = Callable[[A, ToolContext], Awaitable[Proposal | R]]
"""Reads and judges the facts; gives a result instead when there is nothing to do."""


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
    app: bool = False

    def plans(self, args: Args) -> bool:
        """Return whether these arguments dial or destroy, and so need a plan and a yes."""
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
    app: bool = False,
) -> Callable[[Run[A, R]], Tool[A, R]]:
    """Make a tool of a function; its module names it, its docstring is what the agent reads.

    `dials_when` names the argument that makes a changing tool dial. An `emergency` tool goes
    ahead even if it cannot be recorded. The result of an `app` tool can be drawn by the campaign
    monitor.
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
            app=app,
        )

    return make
