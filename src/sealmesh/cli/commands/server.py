"""`sealmesh coordinator`."""

from typing import Annotated, Any

import typer

from sealmesh.cli.options import JsonOption
from sealmesh.cli.output import Output

_STATE, _EVIDENCE, _SERVING = "State", "Evidence", "Serving"


def _option(name: str, metavar: str, help_text: str, panel: str) -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=help_text, rich_help_panel=panel)


def coordinator(
    *,
    mesh_addr: Annotated[str, _option("mesh-addr", "ADDR", "Where Marbles connect; `:2001`.", _SERVING)] = "",
    client_addr: Annotated[
        str, _option("client-addr", "ADDR", "Where users connect; `:4433`.", _SERVING)
    ] = "",
    metrics_addr: Annotated[
        str, _option("metrics-addr", "ADDR", "Metrics over plain HTTP, loopback; off.", _SERVING)
    ] = "",
    dns_names: Annotated[
        str, _option("dns-names", "LIST", "Names in the Coordinator's certificates; `localhost`.", _SERVING)
    ] = "",
    workers: Annotated[
        str, _option("workers", "N", "Processes on the same ports and state; 1.", _SERVING)
    ] = "",
    cpu: Annotated[
        str, _option("cpu", "one|any", "A worker's threads stay on one CPU at a time; `one`.", _SERVING)
    ] = "",
    seal_dir: Annotated[
        str, _option("seal-dir", "DIR", "The sealed state; `./marblerun-coordinator-data`.", _STATE)
    ] = "",
    sealer: Annotated[
        str, _option("sealer", "KIND", "What seals the state: `platform`, `tpm:...`, `pkcs11:...`.", _STATE)
    ] = "",
    anchor: Annotated[
        str, _option("anchor", "KIND", "What shows an old copy of the state: `file:...`, `tpm:...`.", _STATE)
    ] = "",
    startup_manifest: Annotated[
        str, _option("startup-manifest", "FILE", "Set this manifest at the first start.", _STATE)
    ] = "",
    reset_state: Annotated[
        bool,
        typer.Option(
            "--reset-state",
            help="A new manifest may replace a state that waits for recovery.",
            rich_help_panel=_STATE,
        ),
    ] = False,
    attester: Annotated[
        str,
        _option(
            "attester", "KIND", "Evidence of itself: `simulated[:DIR]`, `auto` in a TEE, `none`.", _EVIDENCE
        ),
    ] = "",
    trust_roots: Annotated[
        str,
        _option(
            "trust-roots", "LIST", "Roots that count: `intel`, `simulated[:DIR]`, `NAME=SHA256`.", _EVIDENCE
        ),
    ] = "",
    collateral: Annotated[
        str, _option("collateral", "LIST", "Files or folders with the Marbles' collateral.", _EVIDENCE)
    ] = "",
    endorser: Annotated[
        str, _option("endorser", "LIST", "Servers with collateral: `pcs`, `pccs:URL`, `kds`.", _EVIDENCE)
    ] = "",
    endorser_cache: Annotated[
        str, _option("endorser-cache", "DIR", "Their answers; `~/.cache/sealmesh/endorsements`.", _EVIDENCE)
    ] = "",
    endorser_limit: Annotated[
        str,
        _option("endorser-limit", "N", "Unknown platforms they are asked for in an hour; 120.", _EVIDENCE),
    ] = "",
    result_lifetime: Annotated[
        str, _option("result-lifetime", "SPAN", "How long Attestation Results are good; `1h`.", _EVIDENCE)
    ] = "",
    compat: Annotated[
        str, _option("compat", "LIST", "Relaxations by name, for old clients; none.", _EVIDENCE)
    ] = "",
    log_format: Annotated[str, typer.Option("--log-format", metavar="json|console")] = "",
    log_level: Annotated[str, typer.Option("--log-level", metavar="debug|info|warning|error")] = "",
    print_policy: Annotated[
        bool, typer.Option("--print-policy", help="Print the policy that recognizes this Coordinator; exit.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a Coordinator until it is stopped.

    It waits for a manifest (`sealmesh manifest set`), then admits Marbles on their Evidence and is their
    certificate authority. Every option also reads `SEALMESH_NAME` and MarbleRun's `EDG_*` variables; two
    sources that contradict each other are an error. Log goes to stderr.

    Example, on a laptop without a TEE:

        sealmesh coordinator --attester simulated --print-policy > policy.json

        sealmesh coordinator --attester simulated --mesh-addr :2001 --client-addr :4433
    """
    from sealmesh.server.configuration import read_configuration

    given = {
        "mesh-addr": mesh_addr,
        "client-addr": client_addr,
        "metrics-addr": metrics_addr,
        "dns-names": dns_names,
        "workers": workers,
        "cpu": cpu,
        "seal-dir": seal_dir,
        "sealer": sealer,
        "anchor": anchor,
        "startup-manifest": startup_manifest,
        "reset-state": "1" if reset_state else "",
        "attester": attester,
        "trust-roots": trust_roots,
        "collateral": collateral,
        "endorser": endorser,
        "endorser-cache": endorser_cache,
        "endorser-limit": endorser_limit,
        "result-lifetime": result_lifetime,
        "compat": compat,
        "log-format": log_format,
        "log-level": log_level,
    }
    configuration = read_configuration({name: text for name, text in given.items() if text})
    if print_policy:
        from sealmesh.cli.own_policy import own_policy

        policy = own_policy(configuration)
        Output(as_json=True).result("", policy)
        return
    from sealmesh.server.main import run

    raise typer.Exit(run(configuration))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Running")(coordinator)
