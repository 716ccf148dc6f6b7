"""How a Coordinator process ends."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `sealmesh coordinator`."""

    OK = 0
    """Ended on SIGTERM or SIGINT."""
    INTERNAL = 1
    """A fault of sealmesh."""
    CONFIGURATION = 2
    """An option, a variable, the startup manifest or an address is wrong."""
    STATE = 3
    """The sealed state is damaged."""

    @classmethod
    def final(cls) -> frozenset[int]:
        """Return the codes after which starting a worker again cannot help."""
        return frozenset({cls.CONFIGURATION.value, cls.STATE.value})
