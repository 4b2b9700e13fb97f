"""What a tool is: one effect, arguments, a result, and a plan if it dials or destroys."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast, get_type_hints

from atoms_campaigns_mcp.effects import Effect, Effects
from atoms_campaigns_mcp.guardrails.plan import Proposal
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.toolkit.context import ToolContext

A = TypeVar("A", bound=Args)
R = TypeVar("R", bound=Result)


Run = Callable[[A, ToolContext], Awaitable[R]]
Locker = Callable[[A, ToolContext], Awaitable[Sequence[str]]]
"""Names what no other call may change while it plans and acts: a campaign's id, an audience."""
Planner = Callable[[A, ToolContext], Awaitable[Proposal | R]]
"""Reads and judges the facts; gives a result instead when there is nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Effects, Generic[A, R]):
    """A tool as the server sees it; `tool` makes it from a function."""

    name: str
    title: str
    description: str
    arguments: type[A]
    result: type[R]
    run: Run[A, R]
    plan: Planner[A, R] | None = None
    locks: Locker[A] | None = None
    app: bool = False

    def dials(self, args: Args) -> bool:
        """Return whether a call with these arguments dials."""
        return Effect.DIALS in self.of(dict(args))

    def needs_consent(self, args: Args) -> bool:
        """Return whether these arguments dial or destroy, and so need a plan and a yes."""
        return bool(self.of(dict(args)) & {Effect.DIALS, Effect.DESTROYS})


def tool(
    effect: Effect,
    *,
    title: str,
    plan: Planner[A, R] | None = None,
    locks: Locker[A] | None = None,
    dials_when: str = "",
    emergency: bool = False,
    app: bool = False,
) -> Callable[[Run[A, R]], Tool[A, R]]:
    """Make a tool of a function; its module names it, its docstring is what the agent reads.

    `plan` reads and judges what would be done, and `locks` names what must not change meanwhile;
    see `Effects` for `dials_when` and `emergency`. The result of an `app` tool can be drawn by the
    campaign monitor.
    """
    dangerous = effect in {Effect.DIALS, Effect.DESTROYS} or bool(dials_when)
    if (plan is not None, locks is not None) != (dangerous, dangerous):
        raise TypeError("a tool has a plan and locks if, and only if, it can dial or destroy")

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
            locks=locks,
            dials_when=dials_when,
            emergency=emergency,
            app=app,
        )

    return make
