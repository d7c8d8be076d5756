"""The commands of the peers stand beside the benchmarks, which run them too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
