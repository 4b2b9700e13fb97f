"""Makes the fixtures of `plugin.py` available here."""

from tests.contract.plugin import referee, refereed

__all__ = ["referee", "refereed"]
