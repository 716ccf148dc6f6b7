"""The documentation; `generate` makes the parts that follow from the code."""
