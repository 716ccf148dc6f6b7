"""Seal the key-encryption key so that only this software on this platform gets it back."""

from sealmesh.adapters.sealer.platform import PlatformSealer

__all__ = ["PlatformSealer"]
