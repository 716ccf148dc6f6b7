"""One file per target, each with a `TARGET`; its name is the file's."""
