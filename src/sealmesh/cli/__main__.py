"""`python -m sealmesh.cli`, for where the installed script is not on the path."""

import sys

from sealmesh.cli import main

sys.exit(main())
