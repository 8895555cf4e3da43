"""`python -m benchmarks` is `python benchmarks/tables.py`: the comparison with its default sets and peers."""

import sys

from benchmarks.tables import main

sys.exit(main())
