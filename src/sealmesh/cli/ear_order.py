"""Judging Evidence on the command line into a signed Attestation Result (EAR)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.output import Output
from sealmesh.errors import SealmeshError
from sealmesh.errors.attestation import Mismatch
from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from sealmesh.attestation import UnverifiedEvidence, VerifiedEvidence
    from sealmesh.attestation.results import Submodule


@dataclass(frozen=True, slots=True, kw_only=True)
class EarOrder:
    """A result that somebody wants on Evidence that he has.

    Attributes:
        form: `jwt` or `cwt`.
        path: Where to.
        key: The private key to sign with, PEM; None: one for this result alone.
        nonce: Hexadecimal, or None.
        now: The time of judging.
    """

    form: str
    path: Path
    key: Path | None
    nonce: str | None
    now: datetime

    def failed(self, evidence: "UnverifiedEvidence", reason: SealmeshError, output: Output) -> None:
        """Write the result on Evidence that did not verify."""
        from sealmesh.attestation.results import submodules_of_failed

        self._write(submodules_of_failed(evidence, reason), (), output)

    def judged(
        self,
        verified: "VerifiedEvidence",
        output: Output,
        *,
        policy: str | None,
        refused: Sequence[Mismatch] = (),
    ) -> None:
        """Write the result on genuine Evidence."""
        from sealmesh.attestation.results import submodules_of

        submodules = submodules_of(
            verified,
            appraised=policy is not None,
            refused=refused,
            policies=() if policy is None else (policy,),
        )
        self._write(submodules, (verified.expires,), output)

    def _write(self, submodules: "Mapping[str, Submodule]", ends: Sequence[datetime], output: Output) -> None:
        from sealmesh.attestation.results import Form, Signer, issue_ear, sign_ear

        ear = issue_ear(submodules, now=self.now, ends=ends, nonce=nonce_bytes(self.nonce))
        key = self._signing_key(output)
        write_file(self.path, sign_ear(ear, Form(self.form), Signer(key=key)))
        output.aside(
            f"Attestation Result: {ear.status.word}, until {ear.expires:%Y-%m-%dT%H:%M:%SZ}; {self.path}"
        )

    def _signing_key(self, output: Output) -> "ec.EllipticCurvePrivateKey":
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            PublicFormat,
            load_pem_private_key,
        )

        if self.key is None:
            made = ec.generate_private_key(ec.SECP384R1())
            public = self.path.with_name(self.path.name + ".pub.pem")
            write_file(
                public, made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            )
            output.warn(
                f"signed with a key made for this result alone, which proves nothing to others; {public}"
            )
            return made
        try:
            key = load_pem_private_key(read_file(self.key), password=None)
        except (TypeError, ValueError) as error:
            raise UsageError(
                "this is no private key", found=str(self.key), wanted="PEM, unencrypted"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise UsageError("results are signed with a key on P-384", found=type(key).__name__)
        return key


def nonce_bytes(text: str | None) -> bytes | None:
    """Return the nonce that an option gives in hexadecimal.

    Raises:
        UsageError: It is none.
    """
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise UsageError("the nonce is not hexadecimal", found=text[:160], wanted="8 to 64 bytes") from error


def read_order(
    form: str | None, path: Path | None, key: Path | None, nonce: str | None, now: datetime
) -> EarOrder | None:
    """Return what result the options want, if they want one.

    Raises:
        UsageError: They do not go together.
    """
    if form is None:
        if path is not None or key is not None or nonce is not None:
            raise UsageError("these options go with --ear", wanted="--ear jwt or --ear cwt")
        return None
    if form not in ("jwt", "cwt") or path is None:
        raise UsageError(
            "--ear needs a form and a file", found=form, wanted="--ear jwt|cwt --ear-output FILE"
        )
    return EarOrder(form=form, path=path, key=key, nonce=nonce, now=now)
