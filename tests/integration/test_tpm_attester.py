"""Evidence of a software TPM, made by the Attester and verified by the key that it made known."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.adapters.attester.device import open_device
from sealmesh.adapters.attester.device_choice import TpmChoice, read_device
from sealmesh.attestation import (
    Family,
    TpmReference,
    TrustRoot,
    appraise,
    parse_endorsements,
    parse_evidence,
    verify,
)
from sealmesh.attestation.tpm import Bank
from sealmesh.errors.attestation import AppraisalError, PlatformError, VerificationError

DATA = sha256(b"a Marble's certificate").digest()


def attester(tpm: Any, pcrs: str = "0,16") -> Any:
    choice = read_device(f"tpm:{tpm.tcti}?pcrs=sha256:{pcrs}")
    assert choice is not None
    return open_device(choice)


def root_of(raw: bytes) -> TrustRoot:
    """Return the root of an operator who saw this key made."""
    key = parse_evidence(raw).quote.key.key
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TrustRoot(name="lab", family=Family.TPM, sha256=sha256(spki).digest())


def judged(raw: bytes, root: TrustRoot) -> Any:
    evidence = parse_evidence(raw)
    return verify(evidence, parse_endorsements(evidence, b""), roots=[root], now=datetime.now(UTC))


def test_a_quote_verifies_and_is_over_what_was_asked(tpm: Any) -> None:
    raw = attester(tpm).evidence(DATA.ljust(64, b"\0"))
    verified = judged(raw, root_of(raw))
    assert verified.claims.nonce == DATA
    reference = TpmReference(pcrs=verified.claims.pcrs[Bank.SHA256])
    appraise(verified, reference, report_data=DATA)
    with pytest.raises(AppraisalError, match="ReportData"):
        appraise(verified, reference, report_data=sha256(b"another").digest())


def test_the_key_is_the_same_at_each_start(tpm: Any) -> None:
    first, second = (attester(tpm).evidence(DATA) for _ in range(2))
    assert root_of(first) == root_of(second)
    with pytest.raises(VerificationError):
        judged(first, TrustRoot(name="other", family=Family.TPM, sha256=bytes(32)))


def test_another_state_of_the_machine_is_another_quote(tpm: Any) -> None:
    before = judged(raw := attester(tpm).evidence(DATA), root_of(raw))
    tpm.extend(16)
    after = judged(raw := attester(tpm).evidence(DATA), root_of(raw))
    with pytest.raises(AppraisalError, match="PCR16"):
        appraise(after, TpmReference(pcrs=before.claims.pcrs[Bank.SHA256]), report_data=DATA)


def test_all_registers_are_quoted(tpm: Any) -> None:
    raw = attester(tpm, ",".join(map(str, range(24)))).evidence(DATA)
    assert set(judged(raw, root_of(raw)).claims.pcrs[Bank.SHA256]) == set(range(24))


def test_a_tpm_that_is_not_there_is_said(tmp_path: Any) -> None:
    pytest.importorskip(
        "tpm2_pytss", reason="no TPM simulator: tpm2-pytss is not installed", exc_type=ImportError
    )
    with pytest.raises(PlatformError, match="no quote"):
        open_device(TpmChoice(tcti=f"swtpm:path={tmp_path}/missing", pcrs=(7,))).evidence(DATA)


@pytest.mark.parametrize(
    "text",
    ["tpm", "tpm:", "tpm?pcrs=", "tpm?pcrs=sha1:7", "tpm?pcrs=sha256:24", "tpm?pcrs=sha256:7,7", "tpm?x=1"],
)
def test_registers_that_cannot_be_meant_are_refused(text: str) -> None:
    assert read_device(text) is None


def test_the_machines_own_tpm_is_the_default() -> None:
    assert read_device("tpm?pcrs=sha256:7,4") == TpmChoice(tcti="device:/dev/tpmrm0", pcrs=(4, 7))
