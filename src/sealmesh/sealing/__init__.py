"""AEAD envelopes, the key hierarchy and recovery shares."""
