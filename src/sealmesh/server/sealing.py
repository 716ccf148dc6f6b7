"""Build the sealer and the mooring that the operator named."""

from typing import assert_never

from sealmesh.adapters.anchor import Anchor, FileAnchor
from sealmesh.adapters.anchor.tpm import TpmAnchor
from sealmesh.adapters.clock import system_entropy
from sealmesh.adapters.sealer import GramineKeys, Sealer, SealingKeys, SnpKeys
from sealmesh.adapters.sealer.pkcs11 import TokenKey, TokenKeys
from sealmesh.adapters.sealer.tpm import TpmKeys
from sealmesh.adapters.store.mooring import Moored, Mooring, Unmoored
from sealmesh.adapters.tpm import Tpm
from sealmesh.server.configuration import ServerConfiguration
from sealmesh.server.evidence import EvidenceParts
from sealmesh.server.sealing_choice import (
    AnchorChoice,
    FileAnchoring,
    GramineSealing,
    PlatformSealing,
    SealerChoice,
    SnpSealing,
    TpmAnchoring,
    TpmSealing,
)


def build_sealer(configuration: ServerConfiguration, evidence: EvidenceParts) -> Sealer:
    """Return the sealer for `sealed_key`.

    Raises:
        SealmeshError: A library is missing.
    """
    sources = [_keys(choice, evidence) for choice in configuration.sealers]
    return Sealer(sources, entropy=system_entropy)


def build_mooring(configuration: ServerConfiguration) -> Mooring:
    """Return what binds the state to the anchor.

    Raises:
        SealmeshError: A library is missing.
    """
    anchor = _anchor(configuration.anchor)
    return Unmoored() if anchor is None else Moored(anchor, configuration.seal_dir)


def _keys(choice: SealerChoice, evidence: EvidenceParts) -> SealingKeys:
    match choice:
        case PlatformSealing():
            return evidence.keys
        case GramineSealing(directory):
            return GramineKeys(directory)
        case SnpSealing(device, vmpl):
            return SnpKeys(device, vmpl=vmpl)
        case TpmSealing(tcti, pcrs):
            return TpmKeys(Tpm(tcti), pcrs=pcrs, entropy=system_entropy)
        case TokenKey():
            return TokenKeys(choice, entropy=system_entropy)
    assert_never(choice)


def _anchor(choice: AnchorChoice) -> Anchor | None:
    match choice:
        case None:
            return None
        case FileAnchoring(path):
            return FileAnchor(path)
        case TpmAnchoring(tcti, index):
            return TpmAnchor(Tpm(tcti), index=index)
    assert_never(choice)
