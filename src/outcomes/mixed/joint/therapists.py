"""What is left of the effects' Hessian once the clients are eliminated: three unknowns a therapist.

It differs from zero between therapists only where one client had both, so it is stored and inverted by connected
component (`outcomes.mixed.elimination.packing`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.elimination.batched import positive_inverse
from outcomes.mixed.elimination.linked_matrix import ALONE, invert_in_place
from outcomes.mixed.elimination.packing import Packing, pack
from outcomes.mixed.joint.rows import ClientCells

_THREE = np.arange(3)


@dataclass(frozen=True)
class TherapistSystem:
    """Where the entries are stored.

    Parameters
    ----------
    packing : Packing
        Of 3 J columns.
    own : ndarray of int, shape (J, 3, 3)
        Places of each therapist's own block.
    pairs : ndarray of int, shape (P, 3, 3)
        Places of the blocks of each pair of cells of one client.
    unit : ndarray
        The identity, so stored.
    """

    packing: Packing
    own: np.ndarray
    pairs: np.ndarray
    unit: np.ndarray

    @classmethod
    def of(cls, cells: ClientCells) -> TherapistSystem:
        """Lay out the storage."""
        column = 3 * cells.therapist[:, None] + _THREE
        every = 3 * np.arange(cells.n_therapists)[:, None] + _THREE
        # A therapist is a level too: the three of one without clients belong together as well.
        n_levels = cells.n_clients + cells.n_therapists
        level = np.concatenate([cells.client, np.arange(cells.n_clients, n_levels)])
        packing = pack(np.repeat(level, 3), np.concatenate([column, every]).ravel(), n_levels, every.size)
        packing.refuse_sparse()
        unit = np.zeros(packing.size)
        for _, matrices in packing.matrices(unit):
            diagonal = np.arange(matrices.shape[1])
            matrices[:, diagonal, diagonal] = 1.0
        own = packing.address(every[:, :, None], every[:, None, :])
        pairs = packing.address(column[cells.first][:, :, None], column[cells.second][:, None, :])
        return cls(packing, own, pairs, unit)

    def inverse(self, own: np.ndarray, between: np.ndarray) -> tuple[np.ndarray, float]:
        """Inverse of I + own blocks (J, 3, 3) less those of the pairs (P, 3, 3), and the log determinant.

        Raises
        ------
        numpy.linalg.LinAlgError
            Where it is not positive definite.
        """
        found = self.unit - np.bincount(self.pairs.ravel(), between.ravel(), self.packing.size)
        found[self.own] += own
        log_determinant = 0.0
        for _, matrices in self.packing.matrices(found):
            if len(matrices) == 1 and matrices.shape[1] > ALONE:
                log_determinant += invert_in_place(matrices[0])
                continue
            matrices[...], part = positive_inverse(matrices)
            log_determinant += part
        return found, log_determinant

    def times(self, inverse: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The inverse times `right`, both (J, 3)."""
        padded, result = np.append(right.ravel(), 0.0), np.zeros(right.size + 1)
        for members, matrices in self.packing.matrices(inverse):
            result[members] = (matrices @ padded[members][:, :, None])[:, :, 0]
        return result[:-1].reshape(right.shape)
