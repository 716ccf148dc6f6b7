"""What a TPM signed: any attestation structure under a good signature."""

from fuzz.evidence import signed_target
from fuzz.makers import evidence_maker
from sealmesh.attestation import encode_tpm_evidence


def _sign(attest: bytes) -> bytes:
    """Return Evidence whose attestation key signed `attest`."""
    maker = evidence_maker().load("tpm")

    class Signed(maker.Quote):  # type: ignore[name-defined, misc]
        attest = b""

    quote = Signed()
    Signed.attest = attest
    return encode_tpm_evidence(
        attest=attest, signature=quote.signature, pcrs=quote.pcrs, key=maker.public_area(maker.AK), log=None
    )


TARGET = signed_target(
    seeds=lambda: {"attest": evidence_maker().load("tpm").Quote().attest},
    sign=_sign,
    genuine=lambda: evidence_maker().genuine("tpm"),
    words=(b"\xffTCG\x80\x18", b"\0\x0b", b"\0\x04", b"\x03"),
)
