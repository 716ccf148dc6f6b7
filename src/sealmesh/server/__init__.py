"""Read configuration, compose the Coordinator from adapters, run it."""
