"""`sealmesh evidence show|verify|explain|rim`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealmesh.cli.ear_order import EarOrder, read_order
from sealmesh.cli.files import read_file
from sealmesh.cli.moment import moment_or_now
from sealmesh.cli.options import with_options
from sealmesh.cli.output import Output
from sealmesh.cli.wanted_package import WantedPackage, read_wanted
from sealmesh.errors.attestation import AppraisalError, VerificationError
from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.attestation import Collateral, TrustRoot, UnverifiedEvidence, VerifiedEvidence

app = typer.Typer(help="Look at Evidence of any TEE, verify it, find Reference Values.", no_args_is_help=True)

_RESULT = "Attestation Result"

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The Evidence, as the TEE gave it.")]


@app.command()
@with_options
def show(file: FileArgument, *, output: Output) -> None:
    """Recognize any form of Evidence and print what it says. Nothing is verified.

    Example: `sealmesh evidence show quote.bin`
    """
    from sealmesh.attestation.description import describe

    evidence = _read(file)
    lines = list(describe(evidence.quote))
    text = "\n".join([f"{evidence.family} Evidence, NOT verified", *_table(lines)])
    output.result(text, {"family": str(evidence.family), "verified": False, "fields": dict(lines)})


@app.command()
@with_options
def verify(
    file: FileArgument,
    *,
    root: Annotated[
        list[str],
        typer.Option(
            "--root",
            metavar="NAME",
            help="A trust root, as in --trust-roots of the Coordinator: `intel`, `amd-milan`, "
            "`aws-nitro`, `nvidia`, `simulated`, `FAMILY:NAME=SHA256`. May be repeated.",
        ),
    ],
    collateral: Annotated[
        list[Path] | None,
        typer.Option(
            "--collateral", metavar="FILE", help="Endorsements; of a composite one for each part, in order."
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="2026-01-31T12:00:00Z; default now.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help="Also compare with a package of this manifest."),
    ] = None,
    package: Annotated[
        str | None, typer.Option("--package", metavar="NAME", help="Which package of --manifest.")
    ] = None,
    ear: Annotated[
        str | None,
        typer.Option(
            "--ear", metavar="jwt|cwt", help="Write an Attestation Result too.", rich_help_panel=_RESULT
        ),
    ] = None,
    ear_output: Annotated[
        Path | None,
        typer.Option("--ear-output", metavar="FILE", help="Where to.", rich_help_panel=_RESULT),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Sign it with this key (PEM, P-384); else with one made for it alone.",
            rich_help_panel=_RESULT,
        ),
    ] = None,
    ear_nonce: Annotated[
        str | None,
        typer.Option(
            "--ear-nonce", metavar="HEX", help="Put these 8 to 64 bytes into it.", rich_help_panel=_RESULT
        ),
    ] = None,
    output: Output,
) -> None:
    """Verify Evidence: signatures, chains, revocation, dates, at a given time. Prints claims and TCB status.

    Whether these claims are what you want is only looked at with --manifest; for whose connection they were
    made never is. With --ear the verdict, good or bad, is also written as a signed Attestation Result.

    Examples:
        sealmesh evidence verify quote.bin --root intel --collateral collateral.json

        sealmesh evidence verify report.bin --root amd-milan --manifest shop.json --package web --ear jwt \\
            --ear-output report.jwt --key verifier.pem
    """
    from sealmesh.attestation import verify as verify_evidence
    from sealmesh.attestation.description import describe

    now = moment_or_now(at)
    order = read_order(ear, ear_output, key, ear_nonce, now)
    wanted = read_wanted(manifest, package)
    evidence = _read(file)
    try:
        verified = verify_evidence(
            evidence, _collateral(evidence, collateral or []), roots=_roots(root), now=now
        )
    except VerificationError as error:
        if order is not None:
            order.failed(evidence, error, output)
        raise
    _compare(verified, wanted, order, output)
    facts = [
        ("root", f"{verified.root.name}{', SIMULATED' if verified.root.simulated else ''}"),
        ("valid until", f"{verified.expires:%Y-%m-%dT%H:%M:%SZ}"),
        ("TCB status", str(verified.tcb.status)),
        ("advisories", ", ".join(verified.tcb.advisories) or "none"),
        *([("accepted as", f"{wanted.package} of {wanted.manifest}")] if wanted is not None else []),
    ]
    claims = list(describe(verified.claims))
    text = "\n".join([f"{verified.family} Evidence, genuine", *_table(facts), *_table(claims)])
    output.result(
        text,
        {
            "family": str(verified.family),
            "verified": True,
            "root": verified.root.name,
            "simulated": verified.root.simulated,
            "expires": f"{verified.expires:%Y-%m-%dT%H:%M:%SZ}",
            "tcbStatus": str(verified.tcb.status),
            "advisories": list(verified.tcb.advisories),
            "claims": dict(claims),
            **({} if wanted is None else {"package": wanted.package}),
            **({} if order is None else {"ear": str(order.path)}),
        },
    )


@app.command()
@with_options
def explain(file: FileArgument, *, output: Output) -> None:
    """Print the entry of a manifest's `Evidence` list that would accept this Evidence.

    Nothing is verified: verify it, and know where it comes from, before you let in what it describes.

    Example: `sealmesh evidence explain report.bin`
    """
    from sealmesh.attestation.explanation import accepting_form

    form = accepting_form(_read(file))
    output.result_alone = True
    output.aside("Goes into Packages.<name>.Evidence, with the feature gate Evidence. NOT verified.")
    output.result(json.dumps(form, indent=2), form)


@app.command()
@with_options
def rim(
    files: Annotated[
        list[Path], typer.Argument(metavar="RIM...", help="NVIDIA's files: of a driver and of a VBIOS.")
    ],
    *,
    root: Annotated[
        str, typer.Option("--root", metavar="SHA256", help="Of the root that signs RIMs; default NVIDIA's.")
    ] = "",
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="2026-01-31T12:00:00Z; default now.")
    ] = None,
    output: Output,
) -> None:
    """Verify NVIDIA's RIMs and print the entry of a manifest's `Evidence` list that accepts such a GPU.

    A RIM's signer is certified for two years: verify an older one `--at` a time when it was.

    Example: `sealmesh evidence rim driver.swidtag vbios.swidtag --at 2024-06-01T00:00:00Z`
    """
    from sealmesh.attestation import Family, TrustRoot
    from sealmesh.attestation.gpu.rim import NVIDIA_RIM, accepting_rims, verify_rim

    accepted = NVIDIA_RIM
    if root:
        accepted = TrustRoot(name="named", family=Family.GPU, sha256=_sha256(root))
    form = accepting_rims(
        verify_rim(read_file(file), roots=[accepted], at=moment_or_now(at)) for file in files
    )
    output.result_alone = True
    output.aside(f"Signed under {accepted.name}. Goes into Packages.<name>.Evidence (feature gate Evidence).")
    output.result(json.dumps(form, indent=2), form)


def _compare(
    verified: "VerifiedEvidence", wanted: WantedPackage | None, order: EarOrder | None, output: Output
) -> None:
    """Compare with the package, and write the result on what was found.

    Raises:
        AppraisalError: It is not accepted.
    """
    policy = None if wanted is None else wanted.policy()
    try:
        if wanted is not None:
            wanted.appraise(verified)
    except AppraisalError as error:
        if order is not None:
            order.judged(verified, output, policy=policy, refused=error.mismatches)
        raise
    if order is not None:
        order.judged(verified, output, policy=policy)


def _read(file: Path) -> "UnverifiedEvidence":
    from sealmesh.attestation import parse_evidence

    return parse_evidence(read_file(file))


def _collateral(evidence: "UnverifiedEvidence", files: Sequence[Path]) -> "Collateral":
    from sealmesh.attestation import CompositeCollateral, CompositeEvidence, parse_endorsements

    if isinstance(evidence.quote, CompositeEvidence):
        raws = [read_file(path) for path in files] or [b""] * len(evidence.quote.parts)
        if len(raws) != len(evidence.quote.parts):
            raise UsageError(
                "a composite needs --collateral for each part, or none at all",
                found=str(len(raws)),
                wanted=str(len(evidence.quote.parts)),
            )
        parts = zip(evidence.quote.parts, raws, strict=True)
        return CompositeCollateral(parts=tuple(parse_endorsements(part, raw) for part, raw in parts))
    if len(files) > 1:
        raise UsageError("one --collateral for one piece of Evidence", found=str(len(files)), wanted="1")
    return parse_endorsements(evidence, read_file(files[0]) if files else b"")


def _roots(names: Sequence[str]) -> "list[TrustRoot]":
    from sealmesh.adapters.attester.platform import open_or_create
    from sealmesh.attestation import TrustRoot
    from sealmesh.server.evidence_choice import read_roots

    roots: list[TrustRoot] = []
    try:
        for choice in (choice for name in names for choice in read_roots(name)):
            if isinstance(choice, TrustRoot):
                roots.append(choice)
            elif not choice.path.is_dir():
                raise UsageError("there is no simulated platform", found=str(choice.path))
            else:
                platform = open_or_create(choice.path)
                roots += (*platform.trust_roots, platform.tpm().given_key)
    except ValueError as error:
        raise UsageError("this is no trust root", found=", ".join(names), wanted=str(error)) from error
    return roots


def _sha256(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise UsageError("this is no SHA-256", found=text[:80], wanted="64 hexadecimal digits")
    return digest


def _table(lines: Sequence[tuple[str, str]]) -> list[str]:
    width = min(28, max((len(name) for name, _ in lines), default=0))
    return [f"  {name:<{width}}  {value}" for name, value in lines]
