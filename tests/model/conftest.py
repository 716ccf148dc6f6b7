"""The model's modules are imported by their names from here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
