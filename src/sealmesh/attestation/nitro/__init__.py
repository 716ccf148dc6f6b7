"""AWS Nitro Enclaves: attestation documents of the Nitro hypervisor."""

from sealmesh.attestation.nitro.claims import NitroClaims
from sealmesh.attestation.nitro.document import NitroDocument, is_nitro_document, parse_nitro_document
from sealmesh.attestation.nitro.verify import verify_nitro

__all__ = ["NitroClaims", "NitroDocument", "is_nitro_document", "parse_nitro_document", "verify_nitro"]
