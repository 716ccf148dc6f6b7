"""What the environment may ask for that is not there."""

from collections.abc import Mapping
from typing import Final

from sealmesh.errors.configuration import ConfigurationError

#: MarbleRun's modes that are not there; asking for one must not be passed over.
_NOT_AVAILABLE: Final = {
    "EDG_STORE_BACKEND": ("", "default", "file"),
    "EDG_DISTRIBUTED_COORDINATOR": ("", "0", "false"),
}


def refuse_unavailable(environment: Mapping[str, str]) -> None:
    """Refuse variables that ask for what this Coordinator cannot do.

    Raises:
        ConfigurationError: `not-available`.
    """
    for variable, harmless in _NOT_AVAILABLE.items():
        if environment.get(variable, "").lower() not in harmless:
            raise ConfigurationError(
                f"{variable} asks for a distributed Coordinator, which sealmesh does not have yet",
                code="not-available",
                found=environment[variable],
                remedy=f"Unset {variable}. Several processes on one machine: --workers.",
            )
