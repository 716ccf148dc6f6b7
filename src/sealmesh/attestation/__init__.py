"""Evidence to verified Claims to appraisal; one subpackage per TEE family (RFC 9334, Verifier)."""
