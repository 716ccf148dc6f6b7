"""Names, certificate profiles, issuing and checking what was issued (RFC 5280, SPIFFE)."""

from sealmesh.pki.keys import KeyFactory

__all__ = ["KeyFactory"]
