"""Request bodies as Go's `encoding/json` reads them; the reader is shared with the manifest."""

from sealmesh.manifest.gojson import (
    BYTES,
    FLAG,
    TEXT,
    UINT64,
    BytesKind,
    FieldKind,
    FlagKind,
    ListKind,
    MapKind,
    ObjectKind,
    Record,
    TextKind,
    UnsignedKind,
    read_object,
)

__all__ = [
    "BYTES",
    "FLAG",
    "TEXT",
    "UINT64",
    "BytesKind",
    "FieldKind",
    "FlagKind",
    "ListKind",
    "MapKind",
    "ObjectKind",
    "Record",
    "TextKind",
    "UnsignedKind",
    "read_object",
]
