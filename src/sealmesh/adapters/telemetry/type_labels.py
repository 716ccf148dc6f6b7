"""Which Marble types get a label value of their own.

Everybody can ask for a Marble type that does not exist, under as many names as he likes. So a name that was
never admitted gets a value of its own only while there are few of them; all others share one.
"""

from threading import Lock
from typing import Final

#: The value of all that have none of their own.
OTHERS: Final = "*"
MAX_STRANGERS: Final = 64
MAX_ADMITTED: Final = 4096
MAX_CHARACTERS: Final = 128


class TypeLabels:
    """Remembers the names that have a label value; may be used by several threads."""

    def __init__(self, *, strangers: int = MAX_STRANGERS, admitted: int = MAX_ADMITTED) -> None:
        self._strangers_allowed = strangers
        self._admitted_allowed = admitted
        self._strangers: set[str] = set()
        self._admitted: set[str] = set()
        self._lock = Lock()

    def label(self, marble_type: str, *, admitted: bool) -> str:
        """Return the label value for an attempt to activate `marble_type`.

        Args:
            marble_type: As the peer wrote it.
            admitted: The attempt succeeded, so the type is one of the manifest's and nobody made it up.
        """
        if len(marble_type) > MAX_CHARACTERS:
            return OTHERS
        with self._lock:
            if marble_type in self._admitted or marble_type in self._strangers:
                return marble_type
            names = self._admitted if admitted else self._strangers
            if len(names) >= (self._admitted_allowed if admitted else self._strangers_allowed):
                return OTHERS
            names.add(marble_type)
            return marble_type
