import hashlib
import os

import pytest

from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat


@pytest.fixture
def platform():
    """The seal keys of one platform and software: another `name`, another key."""

    def make(name="this"):
        return lambda mode, security_version: hashlib.sha256(f"{name} {mode}".encode()).digest()

    return make


@pytest.fixture
def seat(tmp_path, platform):
    """Open the seal directory as a Coordinator process would; all are closed at the end."""
    opened = []

    def make(directory=None, *, names=("this",), step=None):
        sealer = Sealer([PlatformKeys(platform(name)) for name in names], entropy=os.urandom)
        options = {} if step is None else {"step": step}
        found = SealedSeat(directory or tmp_path / "seal", sealer=sealer, entropy=os.urandom, **options)
        opened.append(found)
        return found

    yield make
    for item in opened:
        item.close()
