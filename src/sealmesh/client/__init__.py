"""The Relying Party: verify a Coordinator once, then talk on the pinned root."""
