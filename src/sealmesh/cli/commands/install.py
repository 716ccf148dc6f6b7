"""`sealmesh install` and `sealmesh uninstall`: a Coordinator in a Kubernetes cluster."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealmesh.cli.files import read_file
from sealmesh.cli.options import with_options
from sealmesh.cli.output import Output
from sealmesh.cli.trust import Trust
from sealmesh.cli.user_cluster import user_cluster
from sealmesh.errors.cluster import InstallRefused

if TYPE_CHECKING:
    from sealmesh.adapters.kubernetes import InstallOptions, Outcome, Release
    from sealmesh.adapters.kubernetes.chart import Rendered

_TEE, _SERVING, _DCAP = "The TEE", "Serving", "Collateral of Marbles (DCAP)"


def _option(*names: str, metavar: str, about: str, panel: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=about, rich_help_panel=panel)


@with_options
def install(
    *,
    simulation: Annotated[
        bool,
        typer.Option("--simulation", help="Without a TEE, on the simulated one.", rich_help_panel=_TEE),
    ] = False,
    resource_key: Annotated[
        str | None,
        _option(
            "--resource-key",
            metavar="NAME",
            panel=_TEE,
            about="What a device plugin calls the TEE; found out from the nodes, `sgx.intel.com/epc`.",
        ),
    ] = None,
    image: Annotated[
        str | None,
        _option(
            "--image",
            metavar="IMAGE",
            panel=_SERVING,
            about="`localhost/sealmesh`. None is published: build deploy/Containerfile.",
        ),
    ] = None,
    version: Annotated[
        str | None, _option("--version", metavar="TAG", about="The image's tag; ours.", panel=_SERVING)
    ] = None,
    client_server_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Of the client API's Service.", rich_help_panel=_SERVING)
    ] = 4433,
    mesh_server_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Of the Service for Marbles.", rich_help_panel=_SERVING)
    ] = 2001,
    domain: Annotated[
        str,
        _option(
            "--domain",
            metavar="NAME",
            panel=_SERVING,
            about="A name in the Coordinator's certificates, besides the Services'.",
        ),
    ] = "localhost",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes in the one pod.", rich_help_panel=_SERVING)
    ] = 1,
    compat: Annotated[
        str, _option("--compat", metavar="LIST", about="Relaxations for old clients; none.", panel=_SERVING)
    ] = "",
    distributed_deployment: Annotated[
        bool,
        typer.Option(
            "--distributed-deployment", help="Several pods: not there, refused.", rich_help_panel=_SERVING
        ),
    ] = False,
    disable_auto_injection: Annotated[
        bool,
        typer.Option(
            "--disable-auto-injection", help="No injector: there is none anyhow.", rich_help_panel=_SERVING
        ),
    ] = False,
    dcap_pccs_url: Annotated[
        str | None,
        _option("--dcap-pccs-url", metavar="URL", about="A caching service (PCCS).", panel=_DCAP),
    ] = None,
    dcap_secure_cert: Annotated[
        str,
        _option("--dcap-secure-cert", metavar="TRUE|FALSE", about="FALSE is refused.", panel=_DCAP),
    ] = "TRUE",
    dcap_ca_file: Annotated[
        Path | None,
        _option("--dcap-ca-file", metavar="FILE", about="Who vouches for its certificate.", panel=_DCAP),
    ] = None,
    dcap_qcnl_config_file: Annotated[
        Path | None,
        _option(
            "--dcap-qcnl-config-file",
            metavar="FILE",
            panel=_DCAP,
            about="In place of them, and for a quote library in the image.",
        ),
    ] = None,
    marblerun_chart_path: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Another chart than ours, with the same values."),
    ] = None,
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="Take over what somebody else set on our objects.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the objects as YAML; touch and ask no cluster.")
    ] = False,
    trust: Trust,
    output: Output,
) -> None:
    """Install a Coordinator in the Kubernetes cluster of your kubeconfig, or bring one up to date.

    The objects come from a Helm chart (charts/sealmesh, which `helm install` takes too) and go into
    --namespace. Once more with the same options changes nothing; with others it changes what differs, removes
    what is no longer wanted, and keeps the state. What others made is not touched.
    See docs/tasks/kubernetes.md.

    Example, on a cluster without TEEs:

        sealmesh install --simulation --image registry.example/sealmesh:0.1.0

        sealmesh check
    """  # fmt: skip
    from sealmesh.adapters.kubernetes import Installation, InstallOptions, Release

    del disable_auto_injection  # there is no injector; the notes say so
    if distributed_deployment:
        raise _no_distribution()
    if not simulation and image is None:
        raise _no_tee()
    options = InstallOptions(
        simulation=simulation,
        image=image,
        version=version,
        client_server_port=client_server_port,
        mesh_server_port=mesh_server_port,
        domain=domain,
        pccs_url=dcap_pccs_url,
        secure_certificate=_flag(dcap_secure_cert),
        ca=_text(dcap_ca_file),
        qcnl=_text(dcap_qcnl_config_file),
        workers=workers,
        compat=compat,
    )
    release = Release(namespace=trust.namespace)
    if dry_run:
        _print(_rendered(options, resource_key, marblerun_chart_path, release), output)
        return
    _rendered(options, resource_key, marblerun_chart_path, release)  # what is wrong here needs no cluster
    with user_cluster(output) as cluster:
        if not simulation:
            from sealmesh.adapters.kubernetes import find_tee_nodes

            resource_key = next(iter(find_tee_nodes(cluster, resource_key).by_key))
        rendered = _rendered(options, resource_key, marblerun_chart_path, release)
        outcomes = Installation(cluster, release).install(rendered.objects, force=force_conflicts)
        where = f"namespace {release.namespace} of {cluster.server}"
    _tell(outcomes, where, output, notes=rendered.notes, simulation=simulation)


@with_options
def uninstall(
    *,
    delete_state: Annotated[
        bool,
        typer.Option("--delete-state", help="Delete the sealed state as well. It cannot be brought back."),
    ] = False,
    trust: Trust,
    output: Output,
) -> None:
    """Remove what `sealmesh install` made, from the Kubernetes cluster of your kubeconfig.

    The claim of the sealed state stays, so that `sealmesh install` finds it again; the namespace stays too.

    Example: `sealmesh uninstall --namespace marblerun`
    """
    from sealmesh.adapters.kubernetes import Installation, Release

    release = Release(namespace=trust.namespace)
    with user_cluster(output) as cluster:
        outcomes = Installation(cluster, release).uninstall(delete_state=delete_state)
        where = f"namespace {release.namespace} of {cluster.server}"
    kept = [outcome.reference.title for outcome in outcomes if outcome.action == "kept"]
    notes = f"The state is kept ({', '.join(kept)}); --delete-state removes it too." if kept else ""
    _tell(outcomes, where, output, notes=notes)


def _rendered(
    options: "InstallOptions", resource_key: str | None, chart_path: Path | None, release: "Release"
) -> "Rendered":
    from dataclasses import replace

    from sealmesh.adapters.kubernetes import Chart, resources_for
    from sealmesh.adapters.kubernetes.chart import OWN_CHART
    from sealmesh.adapters.kubernetes.tee_resource import DEFAULT_KEY

    asked = resources_for(resource_key or DEFAULT_KEY)
    told = replace(options, resources={} if options.simulation else asked)
    return Chart(chart_path or OWN_CHART).render(told.values(), release)


def _print(rendered: "Rendered", output: Output) -> None:
    import yaml

    objects = [dict(item) for item in rendered.objects]
    output.result(yaml.safe_dump_all(objects, sort_keys=False).rstrip("\n"), {"objects": objects})


def _tell(
    outcomes: Sequence["Outcome"], where: str, output: Output, *, notes: str, simulation: bool | None = None
) -> None:
    lines = [where, *(f"  {outcome.reference.title} {outcome.action}" for outcome in outcomes)]
    objects = [
        {"kind": it.reference.kind, "name": it.reference.name, "action": str(it.action)} for it in outcomes
    ]
    document: dict[str, Any] = {"where": where, "objects": objects}
    if simulation is not None:
        document |= {"simulation": simulation, "injector": False}
    output.result("\n".join([*lines, *(["", notes] if notes else [])]), document)


def _flag(text: str) -> bool:
    if text.upper() not in {"TRUE", "FALSE"}:
        raise InstallRefused(
            "--dcap-secure-cert is TRUE or FALSE", found=text, remedy="Leave it out for TRUE."
        )
    return text.upper() == "TRUE"


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return read_file(path).decode()
    except UnicodeDecodeError as error:
        raise InstallRefused(f"{path} is no text", remedy="See that it is the right file.") from error


def _no_distribution() -> InstallRefused:
    return InstallRefused(
        "a Coordinator in several pods is not there",
        found="--distributed-deployment",
        wanted="one pod: the state is one database file on one volume, which two nodes cannot share",
        remedy="Leave it out; --workers N serves from N processes in the pod.",
    )


def _no_tee() -> InstallRefused:
    return InstallRefused(
        "our own image (deploy/Containerfile) runs in no enclave, so its Coordinator could not prove itself",
        wanted="--simulation, or --image with an image that does, such as one of Gramine's",
        remedy="Install with --simulation to try it. Marbles may run in real TEEs all the same.",
    )


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (install, uninstall):
        app.command(rich_help_panel="Operating")(command)
