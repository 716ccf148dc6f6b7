"""Seal the key-encryption key so that only this software, or what the mode allows, gets it back here.

`Sealer` writes and reads the file `sealed_key`; where its key comes from is a `SealingKeys` adapter. Those
that need a library of an extra (`tpm`, `pkcs11`) are imported from their own modules.
"""

from sealmesh.adapters.sealer.gramine import GramineKeys
from sealmesh.adapters.sealer.keys import PRODUCT_KEY, UNIQUE_KEY, SealingKey, SealingKeys
from sealmesh.adapters.sealer.nothing import NoKeys
from sealmesh.adapters.sealer.platform import PlatformKeys
from sealmesh.adapters.sealer.sealer import Sealer, Unsealed
from sealmesh.adapters.sealer.snp import SnpKeys

__all__ = [
    "PRODUCT_KEY",
    "UNIQUE_KEY",
    "GramineKeys",
    "NoKeys",
    "PlatformKeys",
    "Sealer",
    "SealingKey",
    "SealingKeys",
    "SnpKeys",
    "Unsealed",
]
