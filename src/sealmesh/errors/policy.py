"""Failures of access policies."""

from sealmesh.errors.base import SealmeshError


class PolicyError(SealmeshError):
    """An access policy document that is not exactly what this version writes."""

    code = "policy.invalid"
