"""The UUID of a Marble as it comes over the wire.

MarbleRun takes four forms, in any case: `8-4-4-4-12`, the same in braces, the same after `urn:uuid:`, and
32 digits. All mean the same Marble; anything around it, such as a blank, is refused (COMPAT section 5).
"""

import re
import uuid

from sealmesh.errors.coordinator import BadUuid

_DASHED = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FORMS = re.compile(
    rf"(?:{_DASHED}|urn:uuid:{_DASHED}|\{{{_DASHED}\}}|[0-9a-f]{{32}})", re.IGNORECASE | re.ASCII
)
_SHOWN = 80


def parse_marble_uuid(text: str) -> uuid.UUID:
    """Return the UUID that `text` writes in one of the four forms.

    Raises:
        BadUuid: It is none of them.
    """
    if not _FORMS.fullmatch(text):
        raise BadUuid(
            "the Marble's UUID cannot be read",
            found=repr(text[:_SHOWN]),
            wanted="xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        )
    return uuid.UUID(text[9:] if text[:9].lower() == "urn:uuid:" else text)
