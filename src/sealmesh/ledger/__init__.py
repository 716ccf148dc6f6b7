"""The Merkle log of every act and the application statement (RFC 9334, Attestation Result)."""
