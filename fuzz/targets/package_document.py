"""Package documents: EGo's `enclave.json`, and ours in JSON and YAML."""

import json
from pathlib import Path

from fuzz.target import Target
from sealmesh.adapters.attester.document import parse_document

_DOCUMENT = {
    "exe": "app.py",
    "args": ["--port", "1"],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "fromHost": True}],
    "files": ["app.py", {"source": "data", "target": "/data"}],
    "key": "private.pem",
    "productID": 1,
    "securityVersion": 2,
    "debug": False,
    "coordinator": {"Coordinator": {"UniqueID": "aa"}},
    "dataplane": {"egress": []},
}
_EGO = {
    "exe": "server",
    "key": "private.pem",
    "debug": True,
    "heapSize": 512,
    "executableHeap": False,
    "productID": 1,
    "securityVersion": 1,
    "mounts": [{"target": "/data", "type": "memfs"}],
    "env": None,
    "files": None,
}


def _read(raw: bytes) -> None:
    """Read the bytes as JSON where they look like it, else as YAML."""
    suffix = "json" if raw.lstrip()[:1] in (b"{", b"[") else "yaml"
    document = parse_document(raw, Path(f"package.{suffix}"))
    assert document.exe
    assert document.product_id >= 0


TARGET = Target(
    run=_read,
    seeds=lambda: {
        "ours": json.dumps(_DOCUMENT).encode(),
        "EGo's": json.dumps(_EGO).encode(),
        "yaml": b"exe: app.py\nfiles: [app.py]\nproductID: 3\n",
    },
    words=(*(f'"{key}":'.encode() for key in (*_DOCUMENT, *_EGO)), b"&a ", b"*a", b"!!int ", b"? "),
    longest=4096,
    milliseconds=500,
)
