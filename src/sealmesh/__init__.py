"""sealmesh: a confidential service mesh.

A Coordinator admits services (Marbles) on verified hardware Evidence, is their certificate
authority, gives them secrets and parameters, says who may call whom, and issues one statement by
which a stranger verifies the whole application. The layers are described in `docs/architecture.md`.
"""

__version__ = "0.1.0"
