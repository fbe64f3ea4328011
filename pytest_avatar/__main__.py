"""`python -m pytest_avatar` is the console command `pytest-avatar`."""

from __future__ import annotations

import sys

from pytest_avatar.cli import main

if __name__ == "__main__":
    sys.exit(main())
