"""TLS and policy enforcement inside the Marble's own process."""
