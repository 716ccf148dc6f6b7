"""Formatting as Go's package `fmt` does it: `printf`, `print`, `println` and how a value prints."""

from sealmesh.provisioning.gotemplate.format.printer import sprint, sprintln
from sealmesh.provisioning.gotemplate.format.verbs import sprintf

__all__ = ["sprint", "sprintf", "sprintln"]
