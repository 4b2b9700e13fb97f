"""Identifiers in the recorded formats, derived from stored numbers so that runs repeat."""

import re
from functools import cache
from hashlib import blake2b
from uuid import UUID

OBJECT_ID = re.compile(r"[a-f\d]{24}")
CALL_ID = re.compile(r"CALL-\d{13}-[a-z0-9]{6}")

COUNTER_BITS = 0xFFFFFF
SCATTER = 0x9E3779  # odd, so multiplying by it permutes the 24-bit numbers


def object_id(kind: str, number: int, at: int) -> str:
    """A Mongo ObjectId: four bytes of seconds, five that stand for the machine, a counter."""
    return f"{at // 1000 & 0xFFFFFFFF:08x}{_machine(kind)}{number & COUNTER_BITS:06x}"


def call_id(number: int, at: int) -> str:
    """`CALL-<13 digits of milliseconds>-<6 hex>`, unique for 16 million calls in a row."""
    return f"CALL-{at:013d}-{number * SCATTER & COUNTER_BITS:06x}"


def task_id(*parts: object) -> str:
    """A version 4 UUID derived from `parts`."""
    digest = blake2b(repr(parts).encode(), digest_size=16, person=b"task").digest()
    return str(UUID(bytes=digest, version=4))


def key_digest(key: str) -> str:
    """What the database holds in place of an API key."""
    return blake2b(key.encode(), digest_size=20, person=b"api-key").hexdigest()


@cache
def _machine(kind: str) -> str:
    return blake2b(kind.encode(), digest_size=5, person=b"object-id").hexdigest()
