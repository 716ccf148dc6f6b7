"""The environment of the program: what the package declares and what the Coordinator gives. Nothing else.

The host's environment is not trusted: only declared variables pass from it, and none of those that decide
which code an interpreter or the loader takes.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from sealmesh.attestation.simulated import EnvironmentVariable
from sealmesh.dataplane.start import AGENT_VARIABLE
from sealmesh.errors.marble import ProgramRefused
from sealmesh.marble.membership import Credentials, Parameters
from sealmesh.provisioning.rendering import KEY_VARIABLE, TTLS_VARIABLE

PYTHON_PATH: Final = "PYTHONPATH"
#: Variables that hold the Marble's private key.
_KEYS: Final = frozenset({KEY_VARIABLE, TTLS_VARIABLE})
_CODE_PREFIXES: Final = ("LD_",)
_CODE: Final = frozenset({PYTHON_PATH, "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", AGENT_VARIABLE})


def declared_environment(
    declared: Sequence[EnvironmentVariable], host: Mapping[str, str]
) -> dict[str, bytes]:
    """Return the declared variables with their values.

    Raises:
        ProgramRefused: The package lets the host choose code (`LD_*`, `PYTHONPATH`, ...).
    """
    environment: dict[str, bytes] = {}
    for variable in declared:
        if variable.from_host and (variable.name in _CODE or variable.name.startswith(_CODE_PREFIXES)):
            raise ProgramRefused(
                "The package lets the host decide which code runs",
                found=f"{variable.name} with fromHost",
                remedy="Give it a fixed value in the package",
            )
        value = host.get(variable.name, variable.value) if variable.from_host else variable.value
        if value is not None:
            environment[variable.name] = os.fsencode(value)
    return environment


def program_environment(
    declared: Mapping[str, bytes], parameters: Parameters, credentials: Credentials
) -> dict[str, bytes]:
    """Return declared and given variables, the Coordinator's first, and the Marble's own key.

    Raises:
        ProgramRefused: The manifest sets a variable that cannot be one.
    """
    for name, value in parameters.env.items():
        if not name or "=" in name or "\0" in name or b"\0" in value:
            raise ProgramRefused("The manifest gives a variable that cannot be set", found=repr(name))
    return {**declared, **parameters.env, KEY_VARIABLE: credentials.key_pem.encode()}


def wrapped(environment: Mapping[str, bytes], *, inject: str, agent: str) -> dict[str, bytes]:
    """Return `environment` for a Python program that loads the data plane before its first line.

    The mesh's TLS is done for it, so the Marble's private key is not handed to it: a variable is inherited
    by every child and shows in `/proc`. What the manifest's templates ask for stays.
    """
    path = os.fsencode(inject)
    if given := environment.get(PYTHON_PATH):
        path += os.pathsep.encode() + given
    handed = {name: value for name, value in environment.items() if name not in _KEYS}
    return {**handed, PYTHON_PATH: path, AGENT_VARIABLE: os.fsencode(agent)}
