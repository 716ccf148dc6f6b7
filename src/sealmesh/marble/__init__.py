"""The Marble's agent: enrol, apply parameters, run the program, keep renewing.

sealmesh.marble.run(sealmesh.marble.read_configuration(["python", "app.py"]))
"""

from sealmesh.marble.config import SETTINGS, MarbleConfig, Setting, read_configuration
from sealmesh.marble.running import run

__all__ = ["SETTINGS", "MarbleConfig", "Setting", "read_configuration", "run"]
