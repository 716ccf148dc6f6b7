"""The acts of the play, one a file; each asserts what it shows."""
