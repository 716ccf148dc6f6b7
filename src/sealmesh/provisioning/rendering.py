"""What one Marble gets: files, environment, arguments (COMPAT section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sealmesh.errors.provisioning import TemplateProblem, TemplateRefused
from sealmesh.provisioning.compiled import CompiledMarble
from sealmesh.provisioning.data.root import MarbleRunSecrets, data_root
from sealmesh.provisioning.pem import authority_pem, to_pem
from sealmesh.provisioning.secret import Secret

__all__ = [
    "CHAIN_VARIABLE",
    "COORDINATOR_ROOT_VARIABLE",
    "KEY_VARIABLE",
    "MAX_PARAMETERS",
    "RESERVED_VARIABLES",
    "ROOT_VARIABLE",
    "TTLS_VARIABLE",
    "RenderedParameters",
    "render_parameters",
]

ROOT_VARIABLE: Final = "MARBLE_PREDEFINED_ROOT_CA"
CHAIN_VARIABLE: Final = "MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"
KEY_VARIABLE: Final = "MARBLE_PREDEFINED_PRIVATE_KEY"
COORDINATOR_ROOT_VARIABLE: Final = "MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"
TTLS_VARIABLE: Final = "MARBLE_TTLS_CONFIG"
#: Always ours, whatever the manifest says.
RESERVED_VARIABLES: Final = frozenset(
    (ROOT_VARIABLE, CHAIN_VARIABLE, KEY_VARIABLE, COORDINATOR_ROOT_VARIABLE)
)
#: Bytes of all files and variables of one Marble. Reason: they travel in one gRPC message, of which peers
#: take 4 MiB by default; beyond it the Marble would see a transport error that explains nothing.
MAX_PARAMETERS: Final = 4 * 1024 * 1024 - 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedParameters:
    """Files by path, environment by name, and the arguments, empty for the program's own."""

    files: Mapping[str, bytes] = field(repr=False)
    env: Mapping[str, bytes] = field(repr=False)
    argv: tuple[str, ...] = ()


def render_parameters(
    marble: CompiledMarble,
    *,
    secrets: Mapping[str, Secret],
    previous: Mapping[str, Secret],
    special: MarbleRunSecrets,
    ttls: bytes | None = None,
) -> RenderedParameters:
    """Return what a Marble of this type gets.

    The four predefined variables win over the manifest's. `MARBLE_PREDEFINED_PRIVATE_KEY` is there only
    where `special` has the key, that is in MarbleRun's own activation.

    Args:
        marble: The type's compiled parameters.
        secrets: At least those that `marble.needed` names; user-defined ones that nobody uploaded as
            `Secret.unset`. A name that is missing reads as a secret that the manifest does not have.
        previous: The values before the last update.
        special: The values under `.MarbleRun`.
        ttls: The transparent TLS document for `MARBLE_TTLS_CONFIG`; None leaves the manifest's entry.

    Raises:
        TemplateRefused: A template cannot be executed, or the whole is too large.
    """
    data = data_root(special, secrets=secrets, previous=previous)
    files = {item.name: item.render(data) for item in marble.files}
    env = {item.name: item.render(data) for item in marble.env if item.name not in RESERVED_VARIABLES}
    env |= _predefined(special)
    if ttls is not None:
        env[TTLS_VARIABLE] = ttls
    _check_size(marble, files, env)
    return RenderedParameters(files=files, env=env, argv=marble.argv)


def _predefined(special: MarbleRunSecrets) -> dict[str, bytes]:
    leaf = to_pem("CERTIFICATE", special.marble_cert)
    variables = {
        ROOT_VARIABLE: authority_pem(special.root_ca),
        CHAIN_VARIABLE: leaf + authority_pem(special.coordinator_intermediate),
        COORDINATOR_ROOT_VARIABLE: authority_pem(special.coordinator_root),
    }
    if special.marble_private:
        variables[KEY_VARIABLE] = to_pem("PRIVATE KEY", special.marble_private)
    return variables


def _check_size(marble: CompiledMarble, files: Mapping[str, bytes], env: Mapping[str, bytes]) -> None:
    for place, items in (("Files", files), ("Env", env)):
        largest = max(items, key=lambda name: len(items[name]), default="")
        total = sum(map(len, files.values())) + sum(map(len, env.values()))
        if total > MAX_PARAMETERS and items and len(items[largest]) * 2 >= total // (len(files) + len(env)):
            raise TemplateRefused(
                f"files and variables come to {total} bytes; more than {MAX_PARAMETERS} cannot be delivered",
                code=TemplateProblem.TOO_LARGE,
                marble=marble.marble_type,
                place=place,
                name=largest,
            )
