"""The Marble's agent: enrol, apply parameters, run the program, keep renewing."""
