"""Demonstrations that run the whole of sealmesh on one machine, through its command line and client."""
