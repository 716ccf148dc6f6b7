"""The Manifest: model, strict parsing, check, JSON Schema (RFC 9334, Appraisal Policy)."""
