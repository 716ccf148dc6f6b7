"""The command line: faces, no logic."""
