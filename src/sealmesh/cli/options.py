"""Options and arguments that several commands share.

`with_trust` gives a command the options that say whom to trust, as one `Trust`, and `--json`, as one
`Output`, so that no command repeats them.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from sealmesh.cli.output import Output
from sealmesh.cli.session import Trust

_TRUST = "Whom to trust"
AddressArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="The Coordinator's client API, HOST:PORT.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
PolicyOption = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="What the Coordinator must be.", rich_help_panel=_TRUST),
]
EraOption = Annotated[
    Path | None,
    typer.Option("--era-config", metavar="FILE", help="A MarbleRun era file.", rich_help_panel=_TRUST),
]
CertificateOption = Annotated[
    Path | None,
    typer.Option(
        "--coordinator-cert",
        metavar="FILE",
        help="The chain (PEM) that was verified before, or where to keep it.",
        rich_help_panel=_TRUST,
    ),
]
InsecureOption = Annotated[
    bool, typer.Option("-i", "--insecure", help="Do not verify the Coordinator.", rich_help_panel=_TRUST)
]
NonceOption = Annotated[
    str | None,
    typer.Option("--nonce", metavar="TEXT", help="Bind this, not random bytes.", rich_help_panel=_TRUST),
]
OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the result to this file.")
]
_SHARED: dict[str, tuple[Any, Any]] = {
    "policy": (PolicyOption, None),
    "era_config": (EraOption, None),
    "coordinator_cert": (CertificateOption, None),
    "insecure": (InsecureOption, False),
    "nonce": (NonceOption, None),
    "as_json": (JsonOption, False),
}


def with_trust(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the shared options; it takes them as `trust` and `output`."""

    def run(**given: Any) -> None:
        shared = {name: given.pop(name) for name in _SHARED}
        output = Output(as_json=shared.pop("as_json"))
        command(trust=Trust(**shared), output=output, **given)

    hints = get_type_hints(command, include_extras=True)
    own = {
        name: parameter
        for name, parameter in inspect.signature(command).parameters.items()
        if name not in ("trust", "output")
    }
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=hints[name])
        for name, item in own.items()
    ] + [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _SHARED.items()
    ]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {item.name: item.annotation for item in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run
