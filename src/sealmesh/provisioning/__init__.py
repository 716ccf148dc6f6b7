"""Secrets, templates, and the argv, environment and files of one Marble."""
