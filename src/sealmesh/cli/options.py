"""Options and arguments that several commands share.

`with_options` gives a command the option groups that its parameters name: `trust` (whom to trust), `person`
(who acts), `approvals` (of others, to go with it), `share_key` (whose recovery key), and `output` (`--json`),
each as one object, so that no command repeats them.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from sealmesh.cli.handed_in import HandedIn
from sealmesh.cli.output import Output
from sealmesh.cli.person import Person, ShareKeyChoice
from sealmesh.cli.trust import Trust

_TRUST, _PERSON = "Whom to trust", "Who acts"


def _file(*names: str, about: str, panel: str) -> Any:
    option = typer.Option(*names, metavar="FILE", help=about, rich_help_panel=panel)
    return Annotated[Path | None, option]


def _text(*names: str, metavar: str, about: str, panel: str) -> Any:
    option = typer.Option(*names, metavar=metavar, help=about, rich_help_panel=panel)
    return Annotated[str | None, option]


def _list(name: str, *, about: str) -> Any:
    option = typer.Option(name, metavar="LIST", help=about, rich_help_panel=_TRUST)
    return Annotated[list[str] | None, option]


AddressArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="The Coordinator's client API, HOST:PORT.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
PolicyOption = _file("--policy", about="What the Coordinator must be.", panel=_TRUST)
NonceOption = _text("--nonce", metavar="TEXT", about="Bind this, not random bytes.", panel=_TRUST)
OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the result to this file.")
]


@dataclass(frozen=True, slots=True)
class _Group:
    """Options (name to annotation and default) and what a command gets for them."""

    options: Mapping[str, tuple[Any, Any]]
    make: Callable[..., Any]


def _make_trust(
    *, accepted_tcb_statuses: list[str] | None, accepted_advisories: list[str] | None, **given: Any
) -> Trust:
    return Trust(
        accepted_tcb_statuses=_items(accepted_tcb_statuses),
        accepted_advisories=_items(accepted_advisories),
        **given,
    )


def _items(texts: list[str] | None) -> tuple[str, ...]:
    """Return the items of options that hold commas, may be repeated, or both."""
    return tuple(item.strip() for text in texts or () for item in text.split(",") if item.strip())


_GROUPS: Mapping[str, _Group] = {
    "trust": _Group(
        {
            "policy": (PolicyOption, None),
            "era_config": (_file("--era-config", about="A MarbleRun era file.", panel=_TRUST), None),
            "coordinator_cert": (
                _file(
                    "--coordinator-cert",
                    about="The chain (PEM) that was verified before, or where to keep it.",
                    panel=_TRUST,
                ),
                None,
            ),
            "insecure": (
                Annotated[
                    bool,
                    typer.Option(
                        "-i", "--insecure", help="Do not verify the Coordinator.", rich_help_panel=_TRUST
                    ),
                ],
                False,
            ),
            "accepted_tcb_statuses": (
                _list(
                    "--accepted-tcb-statuses", about="In place of the policy's; UpToDate,SWHardeningNeeded."
                ),
                None,
            ),
            "accepted_advisories": (_list("--accepted-advisories", about="In place of the policy's."), None),
            "endorsements": (
                _file(
                    "--endorsements",
                    about="Collateral (JSON) for a Coordinator that gives none itself.",
                    panel=_TRUST,
                ),
                None,
            ),
            "nonce": (NonceOption, None),
            "save_sgx_quote": (
                _file("--save-sgx-quote", about="Write the Coordinator's quote there.", panel=_TRUST),
                None,
            ),
            "namespace": (
                _text("-n", "--namespace", metavar="NAME", about="Of Kubernetes.", panel=_TRUST),
                "marblerun",
            ),
        },
        _make_trust,
    ),
    "person": _Group(
        {
            "cert": (_file("-c", "--cert", about="The user's certificate, PEM.", panel=_PERSON), None),
            "key": (_file("-k", "--key", about="The user's key, PEM.", panel=_PERSON), None),
            "pkcs11_config": (
                _file("--pkcs11-config", about="The token, JSON.", panel=_PERSON),
                None,
            ),
            "pkcs11_key_id": (
                _text("--pkcs11-key-id", metavar="ID", about="The key's id.", panel=_PERSON),
                None,
            ),
            "pkcs11_key_label": (
                _text("--pkcs11-key-label", metavar="LABEL", about="The key's label.", panel=_PERSON),
                None,
            ),
            "pkcs11_cert_id": (
                _text("--pkcs11-cert-id", metavar="ID", about="The certificate's id.", panel=_PERSON),
                None,
            ),
            "pkcs11_cert_label": (
                _text(
                    "--pkcs11-cert-label", metavar="LABEL", about="The certificate's label.", panel=_PERSON
                ),
                None,
            ),
        },
        Person,
    ),
    "share_key": _Group(
        {
            "key": (_file("-k", "--key", about="The owner's recovery key, PEM.", panel=_PERSON), None),
            "pkcs11_config": (_file("--pkcs11-config", about="The token, JSON.", panel=_PERSON), None),
            "pkcs11_key_id": (
                _text("--pkcs11-key-id", metavar="ID", about="The key's id.", panel=_PERSON),
                None,
            ),
            "pkcs11_key_label": (
                _text("--pkcs11-key-label", metavar="LABEL", about="The key's label.", panel=_PERSON),
                None,
            ),
        },
        ShareKeyChoice,
    ),
    "approvals": _Group(
        {
            "approval": (
                Annotated[
                    list[Path] | None,
                    typer.Option(
                        "--approval",
                        metavar="FILE",
                        help="Hand this approval in first; repeat it.",
                        rich_help_panel=_PERSON,
                    ),
                ],
                None,
            ),
        },
        lambda approval: HandedIn(files=tuple(approval or ())),
    ),
    "output": _Group({"as_json": (JsonOption, False)}, Output),
}


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options of the groups that its parameters name."""
    hints = get_type_hints(command, include_extras=True)
    names = inspect.signature(command).parameters
    groups = {name: _GROUPS[name] for name in names if name in _GROUPS}

    def run(**given: Any) -> None:
        made = {
            name: group.make(**{option: given.pop(option) for option in group.options})
            for name, group in groups.items()
        }
        command(**made, **given)

    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=hints[name])
        for name, item in names.items()
        if name not in groups
    ] + [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for group in groups.values()
        for name, (annotation, default) in group.options.items()
    ]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {item.name: item.annotation for item in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run
