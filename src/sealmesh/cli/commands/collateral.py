"""`sealmesh collateral fetch|bundle|show|check`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.moment import moment_or_now
from sealmesh.cli.options import OutputOption, with_options
from sealmesh.cli.output import Output
from sealmesh.errors.cli import CollateralOld, UsageError

if TYPE_CHECKING:
    from sealmesh.adapters.endorser import Endorser
    from sealmesh.adapters.endorser.contents import Part

app = typer.Typer(
    help="Fetch collateral from Intel and AMD, carry it offline, see until when it is good.",
    no_args_is_help=True,
)

EndorserOption = Annotated[
    str,
    typer.Option(
        "--endorser",
        metavar="LIST",
        help="Where from: `pcs[:URL]`, `pccs:URL`, `kds[:URL]`, `bundle:PATH`; URL = https://HOST[?ca=FILE].",
    ),
]
_FORM = "%Y-%m-%dT%H:%M:%SZ"


@app.command()
@with_options
def fetch(
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="Evidence of the platform.")],
    *,
    endorser: EndorserOption = "pcs,kds",
    path: OutputOption = None,
    output: Output,
) -> None:
    """Fetch the collateral of the platform that made this Evidence.

    Example: `sealmesh collateral fetch quote.bin --endorser pcs -o collateral.json`
    """
    raw = _collateral(evidence, _endorser(endorser))
    if path is None:
        output.raw(raw, {"collateral": raw.decode()})
        return
    write_file(path, raw)
    output.result(f"Written to {path}.", {"file": str(path), "parts": _parts_json(_parts(raw))})


@app.command()
@with_options
def bundle(
    evidence: Annotated[
        list[Path], typer.Argument(metavar="EVIDENCE...", help="Evidence of each kind of platform.")
    ],
    *,
    endorser: EndorserOption = "pcs,kds",
    path: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where to; made if missing.")],
    output: Output,
) -> None:
    """Fetch the collateral of several platforms into a folder for `--collateral` of a Coordinator.

    Example: `sealmesh collateral bundle quote.bin report.bin -o collateral/`
    """
    source = _endorser(endorser)
    files: dict[str, bytes] = {}
    for file in evidence:
        raw = _collateral(file, source)
        name = _name(raw)
        files[name] = raw if name.endswith(".json") else _merged(files.get(name, b""), raw)
    for name, raw in files.items():
        write_file(path / name, raw)
    output.result(
        "\n".join(f"{path / name}: good until {_until(raw):{_FORM}}" for name, raw in files.items()),
        [{"file": str(path / name), "until": f"{_until(raw):{_FORM}}"} for name, raw in files.items()],
    )


@app.command()
@with_options
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Collateral: JSON of SGX or TDX, or PEM.")],
    *,
    output: Output,
) -> None:
    """Show what collateral holds, from when and until when. Nothing is verified.

    Example: `sealmesh collateral show collateral.json`
    """
    parts = _parts(read_file(file))
    lines = [_line(part) for part in parts]
    output.result("\n".join(["NOT verified", *lines]), {"verified": False, "parts": _parts_json(parts)})


@app.command()
@with_options
def check(
    files: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of them.")],
    *,
    within: Annotated[
        str, typer.Option("--within", metavar="SPAN", help="Also refuse what expires within 7d, 12h, 30m.")
    ] = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="2026-01-31T12:00:00Z; default now.")] = "",
    output: Output,
) -> None:
    """Check the dates of collateral; exit code 1 if anything is not valid. For cron.

    Signatures are looked at by `sealmesh evidence verify`.

    Example: `sealmesh collateral check collateral/ --within 7d`
    """
    now = moment_or_now(at)
    last = _end(within, now)
    found = [(file, part) for file in _files(files) for part in _parts(read_file(file))]
    old = [
        f"{file}: {_line(part).strip()}"
        for file, part in found
        if not (part.validity.contains(now) and part.validity.contains(last))
    ]
    if old:
        raise CollateralOld(
            f"{len(old)} of {len(found)} parts are not valid",
            found="; ".join(old),
            wanted=f"valid from {now:{_FORM}} to {last:{_FORM}}",
        )
    until = min(part.validity.not_after for _, part in found)
    output.result(
        f"{len(found)} parts, all valid until {until:{_FORM}}.",
        {"parts": len(found), "until": f"{until:{_FORM}}"},
    )


def _endorser(text: str) -> "Endorser":
    from sealmesh.adapters.endorser import SeveralEndorsers
    from sealmesh.adapters.endorser.choice import open_endorsers, read_endorsers

    try:
        choices = read_endorsers(text)
    except ValueError as error:
        raise UsageError("--endorser cannot be read", found=text, wanted=str(error)) from error
    if not choices:
        raise UsageError("--endorser names nobody", wanted="for example pcs,kds")
    return SeveralEndorsers([one for choice in choices for one in open_endorsers(choice, None, limit=None)])


def _collateral(file: Path, source: "Endorser") -> bytes:
    from sealmesh.attestation import parse_evidence

    return source.collateral_for(parse_evidence(read_file(file)))


def _name(raw: bytes) -> str:
    """Return the file's name in a folder for `--collateral`."""
    from sealmesh.adapters.endorser.contents import dcap_platform

    return "-".join(dcap_platform(raw)) + ".json" if raw.startswith(b"{") else "snp.pem"


def _merged(first: bytes, second: bytes) -> bytes:
    """Return the blocks of both, each once."""
    from sealmesh.adapters.endorser.contents import pem_blocks

    blocks = dict.fromkeys((*pem_blocks(first), *pem_blocks(second)))
    if sum(label == b"X509 CRL" for label, _ in blocks) > 1:
        raise UsageError(
            "one folder holds the SNP collateral of one generation of processors",
            remedy="Make a folder for each, and name all in --collateral.",
        )
    return b"".join(pem for _, pem in blocks)


def _files(paths: list[Path]) -> list[Path]:
    files = [file for path in paths for file in (_documents(path) if path.is_dir() else [path])]
    if not files:
        raise UsageError("there is no collateral", found=", ".join(map(str, paths)), wanted="*.json or *.pem")
    return files


def _documents(folder: Path) -> list[Path]:
    return [file for form in ("*.json", "*.pem", "gpu-ocsp/*.der") for file in sorted(folder.glob(form))]


def _parts(raw: bytes) -> "tuple[Part, ...]":
    from sealmesh.adapters.endorser.contents import contents_of

    return contents_of(raw)


def _until(raw: bytes) -> datetime:
    return min(part.validity.not_after for part in _parts(raw))


def _parts_json(parts: "tuple[Part, ...]") -> list[dict[str, Any]]:
    return [
        {
            "name": part.name,
            "about": part.about,
            "from": f"{part.validity.not_before:{_FORM}}",
            "until": f"{part.validity.not_after:{_FORM}}",
        }
        for part in parts
    ]


def _line(part: "Part") -> str:
    about = f"  {part.about}" if part.about else ""
    return f"  {part.name:<24}{part.validity.not_before:{_FORM}} to {part.validity.not_after:{_FORM}}{about}"


def _end(span: str, now: datetime) -> datetime:
    from sealmesh.cli.expiry import parse_expiry

    return parse_expiry(span, now) if span else now
