"""The Coordinator as pure decisions on an immutable state; the ports it needs."""
