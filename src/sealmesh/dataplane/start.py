"""Puts the wrap into this interpreter, in two steps that `inject/sitecustomize.py` calls before the program.

`seize` must come before anything imports `socket`, and so before the rest of the data plane is imported
(it needs `ssl`, which does). `begin` then connects to the agent and proves that the wrap works.
"""

import sys
from typing import Final

from sealmesh.dataplane import sockets
from sealmesh.errors.dataplane import WrapStartError

#: The agent's socket; a path in a directory of mode 0700.
AGENT_VARIABLE: Final = "SEALMESH_AGENT"


def seize() -> None:
    """Replace `_socket.socket`; from here on Internet sockets are refused until `begin` is done.

    Raises:
        WrapStartError: Somebody was earlier.
    """
    if "socket" in sys.modules:
        raise WrapStartError(
            "`socket` was imported before the data plane could start",
            remedy="Look for `.pth` files of the interpreter that import it",
        )
    sockets.install()
