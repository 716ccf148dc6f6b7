"""What can go wrong with the TLS wrap inside a program. Seen by people in the agent's log and on stderr.

The program itself sees what sockets raise: `PermissionError`, `ConnectionResetError`, `ssl.SSLError`.
"""

from sealmesh.errors.base import Kind, SealmeshError


class DataplaneError(SealmeshError):
    """Base of everything that concerns the data plane."""

    code = "dataplane"


class DataplaneConfigurationError(DataplaneError):
    """The document with credentials and rules is not what this version writes."""

    code = "dataplane.configuration"
    kind = Kind.CONFIGURATION
    remedy = "Agent and wrap must come from the same sealmesh version"


class AgentUnreachableError(DataplaneError):
    """The Marble's agent cannot be reached, or what answers is not it."""

    code = "dataplane.agent"
    kind = Kind.UNAVAILABLE
    remedy = "Start the program with `sealmesh run`; a program that outlives its agent gets no connections"


class PeerIdentityError(DataplaneError):
    """The peer's certificate does not name a Marble of this mesh."""

    code = "dataplane.peer"
    kind = Kind.DENIED


class WrapStartError(DataplaneError):
    """The wrap cannot be put into this interpreter, or did not prove itself."""

    code = "dataplane.start"
    kind = Kind.CONFIGURATION
