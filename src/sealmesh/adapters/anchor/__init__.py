"""Anchors: a number outside the state's files that only grows, so that an old copy of them is noticed.

The TPM's is imported from its own module, because it needs the library of the extra `tpm`.
"""

from sealmesh.adapters.anchor.file import FileAnchor
from sealmesh.adapters.anchor.port import Anchor

__all__ = ["Anchor", "FileAnchor"]
