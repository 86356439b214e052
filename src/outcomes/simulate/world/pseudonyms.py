"""Opaque pseudonyms that cannot be taken for a direct identifier.

Letters and digits alternate, so that no pseudonym holds a run of digits (phone, health number), two letters in a row
(postcode, insurance number, a name) or a sign (e-mail, date).
"""

from __future__ import annotations

import numpy as np
import polars as pl

_LETTERS = np.frombuffer(b"abcdefghjkmnpqrstuvwxyz", dtype=np.uint8)
_DIGITS = np.frombuffer(b"0123456789", dtype=np.uint8)
_PAIRS = 4
_SPACE = 10 * (len(_LETTERS) * 10) ** _PAIRS


def pseudonyms(prefix: str, count: int, rng: np.random.Generator) -> pl.Series:
    """Return `count` distinct pseudonyms such as `c7f3a9b2k4`, in an order that tells nothing."""
    # An affine map with a step prime to the size of the space never meets a number twice.
    step = int(rng.integers(_SPACE // 4, _SPACE // 2))
    while np.gcd(step, _SPACE) != 1:
        step += 1
    start = int(rng.integers(_SPACE))
    # Shuffled, because the plain map would hand out neighbours at a constant distance.
    numbers = rng.permutation((np.arange(count, dtype=object) * step + start) % _SPACE).astype(np.int64)
    characters = np.empty((count, 2 + 2 * _PAIRS), dtype=np.uint8)
    characters[:, 0] = ord(prefix)
    numbers, digit = np.divmod(numbers, 10)
    characters[:, 1] = _DIGITS[digit]
    for place in range(2, 2 + 2 * _PAIRS, 2):
        numbers, letter = np.divmod(numbers, len(_LETTERS))
        numbers, digit = np.divmod(numbers, 10)
        characters[:, place], characters[:, place + 1] = _LETTERS[letter], _DIGITS[digit]
    return pl.Series(characters.view(f"S{characters.shape[1]}").ravel().astype(str).tolist(), dtype=pl.String)
