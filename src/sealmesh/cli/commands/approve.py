"""`sealmesh approve make|show|submit|list`."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealmesh.cli.approved_act import ApprovedAct
from sealmesh.cli.expiry import parse_expiry
from sealmesh.cli.files import read_file, write_file
from sealmesh.cli.options import AddressArgument, OutputOption, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.person import Person
from sealmesh.cli.session import pinned_session
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.client.approval import ApprovalKey
    from sealmesh.client.governance import GovernanceInForce, TakenApproval

app = typer.Typer(
    help="Approve what the manifest reserves to several: sign offline, hand in, see what waits.",
    no_args_is_help=True,
)

MeshOption = Annotated[
    Path | None,
    typer.Option(
        "--mesh", metavar="FILE", help="What is approved where: the file of `governance show -o`. Offline."
    ),
]


@app.command()
@with_options
def make(
    *,
    act: Annotated[
        str, typer.Option("--act", metavar="ACT", help="What is approved: UpdateManifest, ReadSecrets, ...")
    ],
    key: Annotated[
        str, typer.Option("-k", "--key", metavar="FILE|pkcs11:...", help="The approver's private key.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the log.")],
    expires: Annotated[
        str, typer.Option("--expires", metavar="SPAN|TIME", help="7d, 12h or a time; at most 31 days.")
    ] = "7d",
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="The manifest, package update or values.")
    ] = None,
    secret: Annotated[
        list[str] | None, typer.Option("--secret", metavar="NAME", help="A secret to be read; repeat it.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option("--reader", metavar="USER", help="The user who may then read them, once.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="HEX", help="What is approved, as a refusal names it.")
    ] = None,
    mesh: MeshOption = None,
    coordinator: Annotated[
        str | None, typer.Option("--coordinator", metavar="ADDRESS", help="Ask there instead of --mesh.")
    ] = None,
    approver: Annotated[
        str | None, typer.Option("--approver", metavar="NAME", help="By default whose key it is.")
    ] = None,
    file_out: OutputOption = None,
    trust: Trust,
    output: Output,
) -> None:
    """Sign an approval for one act on one thing, under the manifest in force.

    With `--mesh` no connection is made, so that the key may be on a machine without a network. The file says
    what was approved, by whom, why and until when; whoever gets it can hand it in once.

    Examples:
        sealmesh approve make --act UpdateManifest --file new.json --mesh mesh.json --key alice.pem
        --reason "more bakers" -o alice.approval

        sealmesh approve make --act ReadSecrets --secret recipe --reader ada --mesh mesh.json
        --key "pkcs11:token=ops;object=alice?module-path=/usr/lib/softhsm/libsofthsm2.so" --reason audit
    """
    from sealmesh.client.approval import Consent, ManifestEpoch, Mesh, make_approval, read_approval_key

    here = _here(mesh, coordinator, trust, output)
    chosen = ApprovedAct(act=act, file=file, secrets=tuple(secret or ()), reader=reader, subject=subject)
    signer = read_approval_key(key)
    in_force = (
        None
        if here.manifest is None or here.epoch is None
        else ManifestEpoch(fingerprint=here.manifest, number=here.epoch)
    )
    consent = Consent(
        mesh=Mesh(trust_domain=here.trust_domain, root=here.root),
        manifest=in_force,
        act=chosen.kind(),
        subject=chosen.digest(here),
        approver=_approver(approver, signer, here),
        reason=reason,
        not_after=parse_expiry(expires, datetime.now(UTC)),
    )
    raw = make_approval(consent, signer, entropy=os.urandom)
    if file_out is None:
        output.raw(raw, json.loads(raw))
        return
    write_file(file_out, raw)
    told = (
        f"{consent.approver} approves {consent.act} of {consent.subject} until {consent.not_after:%F %R} UTC"
    )
    output.result(f"{told}\nWrote {file_out}", json.loads(raw) | {"file": str(file_out)})


@app.command()
@with_options
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An approval.")],
    *,
    output: Output,
) -> None:
    """Show what a file approves. Its signature is not checked here: the Coordinator does that.

    Example: `sealmesh approve show alice.approval`
    """
    from sealmesh.client.approval import parse_approval

    raw = read_file(file)
    found = parse_approval(raw).approval
    manifest = found.manifest
    under = "any manifest" if manifest is None else f"{manifest.fingerprint}, epoch {manifest.number}"
    lines = (
        f"act:      {found.act}",
        f"subject:  {found.subject}",
        f"approver: {found.approver}",
        f"reason:   {found.reason}",
        f"until:    {found.not_after:%Y-%m-%dT%H:%M:%SZ}",
        f"mesh:     {found.mesh.trust_domain}, root {found.mesh.root}",
        f"manifest: {under}",
        f"id:       {found.id}",
        "The signature was not checked.",
    )
    output.result("\n".join(lines), json.loads(raw))


@app.command()
@with_options
def submit(
    words: Annotated[
        list[str], typer.Argument(metavar="FILE... ADDRESS", help="Approvals, then the Coordinator.")
    ],
    *,
    trust: Trust,
    person: Person,
    output: Output,
) -> None:
    """Hand in approvals, as a user of the manifest; who signed them is in the files.

    A Coordinator that waits for recovery knows no users and needs no certificate.

    Example: `sealmesh approve submit alice.approval bob.approval localhost:4433 --cert ada.crt --key ada.key`
    """
    *files, address = words
    if not files:
        raise UsageError("nothing to hand in", wanted="FILE... ADDRESS")
    raws = [read_file(Path(name)) for name in files]
    user = None if person == Person() else person.user()
    with pinned_session(address, trust, output, user=user) as connection:
        taken = [connection.submit_approval(raw) for raw in raws]
    output.result("\n".join(map(_line, taken)), {"approvals": [_document(one) for one in taken]})


@app.command("list")
@with_options
def list_approvals(address: AddressArgument, *, trust: Trust, person: Person, output: Output) -> None:
    """List the approvals that wait to be used, and what their acts still need.

    Example: `sealmesh approve list localhost:4433 --cert ada.crt --key ada.key`
    """
    with pinned_session(address, trust, output, user=person.user()) as connection:
        found = connection.approvals()
    text = "\n".join(map(_line, found)) or "No approval waits to be used."
    output.result(text, {"approvals": [_document(one) for one in found]})


def _here(mesh: Path | None, address: str | None, trust: Trust, output: Output) -> "GovernanceInForce":
    from sealmesh.client.governance import parse_governance

    if (mesh is None) == (address is None):
        raise UsageError("nothing says where this is approved", wanted="either --mesh or --coordinator")
    if address is not None:
        with pinned_session(address, trust, output) as connection:
            return connection.governance()
    try:
        document: Any = json.loads(read_file(mesh or Path()))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UsageError("the file is not what `governance show -o` writes", found=mesh)
    return parse_governance(document)


def _approver(name: str | None, key: "ApprovalKey", here: "GovernanceInForce") -> str:
    from hashlib import sha256

    digest = sha256(key.public).hexdigest()
    owner = next((owner for owner, keys in here.keys.items() if digest in keys), None)
    if owner is None or (name is not None and name != owner):
        raise UsageError(
            "this key is not the approver's",
            found=f"a key of {owner}" if owner else "a key of nobody in the manifest",
            wanted=name or f"a key of {', '.join(sorted(here.keys))}",
        )
    return owner


def _line(one: "TakenApproval") -> str:
    more = f"{one.missing} more of {', '.join(one.asked)} needed" if one.missing else "enough approved"
    return f"{one.act} of {one.subject}: {one.approver}, until {one.not_after} ({one.reason}); {more}"


def _document(one: "TakenApproval") -> dict[str, Any]:
    return {
        "id": one.id,
        "approver": one.approver,
        "act": one.act,
        "subject": one.subject,
        "reason": one.reason,
        "notAfter": one.not_after,
        "missing": one.missing,
        "asked": list(one.asked),
    }
