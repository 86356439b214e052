"""What changed between two releases, and why."""

from outcomes.operate.comparing.compare import compare_releases
from outcomes.operate.comparing.comparison import Comparison
from outcomes.operate.comparing.pairs import pair_of_releases

__all__ = ["Comparison", "compare_releases", "pair_of_releases"]
