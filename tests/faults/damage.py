"""Damage as failing disks do it: one bit."""

from __future__ import annotations

import random
from pathlib import Path


def flip_one_bit(path: Path, generator: random.Random) -> None:
    """Turn one bit of a file over, wherever it stands."""
    content = bytearray(path.read_bytes())
    content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
    path.write_bytes(content)
