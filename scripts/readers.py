"""Sets up `.readers`: programs of others, for the proof that they read what backplan writes. Their packages differ from
its own, so they have an environment of their own.
"""

from __future__ import annotations

import environment

FOLDER = environment.ROOT / ".readers"


if __name__ == "__main__":
    environment.ensure("build.txt", "readers.txt", folder=FOLDER)
