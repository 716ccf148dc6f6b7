"""Names, certificate profiles, issuing and checking what was issued (RFC 5280, SPIFFE)."""
