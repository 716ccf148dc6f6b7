"""Build the sealer and the mooring that the operator named."""

from typing import assert_never

from sealmesh.adapters.anchor import Anchor, FileAnchor
from sealmesh.adapters.anchor.tpm import TpmAnchor
from sealmesh.adapters.attester import Attester
from sealmesh.adapters.clock import system_entropy
from sealmesh.adapters.sealer import GramineKeys, PlatformKeys, Sealer, SealingKeys, SnpKeys
from sealmesh.adapters.sealer.pkcs11 import TokenKey, TokenKeys
from sealmesh.adapters.sealer.tpm import TpmKeys
from sealmesh.adapters.store.mooring import Moored, Mooring, Unmoored
from sealmesh.adapters.tpm import Tpm
from sealmesh.server.configuration import ServerConfiguration
from sealmesh.server.evidence import EvidenceParts, unprotected_seal_key
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
            return _platform_keys(evidence.attester)
        case GramineSealing(directory):
            return GramineKeys(directory)
        case SnpSealing(device, vmpl):
            return SnpKeys(device, vmpl=vmpl)
        case TpmSealing(tcti, pcrs):
            return TpmKeys(Tpm(tcti), pcrs=pcrs, entropy=system_entropy)
        case TokenKey():
            return TokenKeys(choice, entropy=system_entropy)
    assert_never(choice)


def _platform_keys(attester: Attester | None) -> PlatformKeys:
    if attester is None:
        return PlatformKeys(unprotected_seal_key, about="a key that everybody knows: there is no TEE")
    return PlatformKeys(
        attester.seal_key, security_version=attester.security_version, about=f"the {_platform(attester)}"
    )


def _platform(attester: Attester) -> str:
    return attester.describe().split(",", 1)[0]


def _anchor(choice: AnchorChoice) -> Anchor | None:
    match choice:
        case None:
            return None
        case FileAnchoring(path):
            return FileAnchor(path)
        case TpmAnchoring(tcti, index):
            return TpmAnchor(Tpm(tcti), index=index)
    assert_never(choice)
