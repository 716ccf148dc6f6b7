"""Coverage-guided fuzzing of every parser and verifier: `make fuzz`, docs/contributing/fuzzing.md."""
