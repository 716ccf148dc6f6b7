"""sealmesh's own REST API, under `/api/sealmesh/v1/`: the `data` of its answers."""

from base64 import b64encode
from collections.abc import Sequence

from sealmesh.wire.envelope import Json


def status(*, code: int, message: str, relaxations: Sequence[str], simulation: bool) -> Json:
    """Return the phase, and what a reader must know about this Coordinator."""
    return {"code": code, "message": message, "relaxations": list(relaxations), "simulation": simulation}


def quote(*, chain_pem: str, evidence: bytes | None, endorsements: bytes | None) -> Json:
    """Return chain, Evidence and the collateral to verify it with."""
    return {"cert": chain_pem, "quote": _maybe(evidence), "endorsements": _maybe(endorsements)}


def _maybe(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode("ascii")
