"""All commands in one tree."""

import typer

from sealmesh.cli.commands import (
    approve,
    certificate,
    cluster,
    collateral,
    demo,
    evidence,
    governance,
    install,
    manifest,
    marble,
    packages,
    plan,
    recover,
    results,
    secret,
    server,
    status,
    verify,
    version,
)

EPILOG = "The demo shows all of it on this machine: sealmesh demo bookstore"

app = typer.Typer(
    name="sealmesh",
    help="A confidential service mesh: attested services, one manifest, one statement.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _commands in (server, marble, packages, verify, status, recover, install, cluster, version):
    _commands.register(app)
manifest.app.command("plan")(plan.plan)
app.add_typer(manifest.app, name="manifest")
app.add_typer(certificate.app, name="certificate")
app.add_typer(secret.app, name="secret")
app.add_typer(governance.app, name="governance")
app.add_typer(approve.app, name="approve")
app.add_typer(recover.app, name="recover-with-signature")
app.add_typer(evidence.app, name="evidence")
app.add_typer(results.app, name="results")
app.add_typer(collateral.app, name="collateral")
app.add_typer(demo.app, name="demo")
