"""``python -m fmbench`` is ``fmbench-load``."""

from __future__ import annotations

import sys

from fmbench.cli import main

sys.exit(main())
