"""What calls cost: a fixed price per minute of talk, nothing when unanswered (S31)."""

import sqlite3

from atoms_campaigns_mcp.sandbox.engine.times import MINUTE

USD_PER_MINUTE = 0.06  # ours: a round figure, the vendor's price depends on the plan


def call_cost(talk: int) -> float:
    """US dollars for so many milliseconds of talk."""
    return round(talk / MINUTE * USD_PER_MINUTE, 4)


def spent(db: sqlite3.Connection, organization: int) -> float:
    """US dollars that an organization's ended calls have cost."""
    row = db.execute(
        "SELECT coalesce(sum(ended_at - answered_at), 0) FROM call"
        " WHERE org_pk = ? AND next_at IS NULL AND answered_at IS NOT NULL",
        (organization,),
    ).fetchone()
    return round(row[0] / MINUTE * USD_PER_MINUTE, 4)
