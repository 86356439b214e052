"""The therapists' system by component is the dense one; one-sided differences are the second derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from outcomes.mixed.elimination.packing import pairs_within
from outcomes.mixed.joint.rows import ClientCells
from outcomes.mixed.joint.therapists import TherapistSystem
from outcomes.mixed.optimise import numeric_hessian


def cells_of(client: np.ndarray, therapist: np.ndarray, n_therapists: int) -> ClientCells:
    """Cells sorted by client, with all pairs of one client."""
    sizes = np.bincount(client)
    first, second = pairs_within(sizes)
    indicator = sparse.csr_array(
        (np.ones(therapist.size), (therapist, np.arange(therapist.size))), (n_therapists, therapist.size)
    )
    return ClientCells(client, therapist, np.cumsum(sizes) - sizes, first, second, indicator)


def seen_by(n_clients: int, n_therapists: int, group: int) -> ClientCells:
    """Each client has two therapists of one group of so many, who need not all be linked."""
    rng = np.random.default_rng(group)
    one = rng.integers(0, n_therapists, n_clients)
    other = one // group * group + (one % group + rng.integers(1, group, n_clients)) % group
    return cells_of(np.repeat(np.arange(n_clients), 2), np.column_stack([one, other]).ravel(), n_therapists)


@pytest.mark.parametrize(
    "cells",
    [
        cells_of(np.arange(12), np.arange(12) % 5, 5),
        seen_by(40, 12, 3),
        seen_by(300, 60, 60),
        seen_by(25, 40, 4),
    ],
    ids=["nobody changed", "within practices", "all linked", "some therapists without clients"],
)
def test_the_inverse_by_component_is_the_dense_one(cells):
    rng = np.random.default_rng(3)
    J, pairs = cells.n_therapists, cells.first.size
    root = rng.normal(size=(cells.client.size, 3, 2)) * 0.1
    between = root[cells.first] @ root[cells.second].swapaxes(1, 2)  # small: what is left is positive definite
    own = np.array([half @ half.T for half in rng.normal(size=(J, 3, 3))]) + 40 * np.eye(3)
    dense = np.eye(3 * J).reshape(J, 3, J, 3)
    dense[np.arange(J), :, np.arange(J), :] += own
    for i in range(pairs):
        dense[cells.therapist[cells.first[i]], :, cells.therapist[cells.second[i]], :] -= between[i]
    dense = dense.reshape(3 * J, 3 * J)
    system = TherapistSystem.of(cells)
    found, log_determinant = system.inverse(own, between)
    wanted = np.linalg.inv(dense).reshape(J, 3, J, 3)
    assert log_determinant == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-12)
    j = np.arange(J)
    np.testing.assert_allclose(found[system.own], wanted[j, :, j, :], atol=1e-13)
    of_pairs = wanted[cells.therapist[cells.first], :, cells.therapist[cells.second], :]
    np.testing.assert_allclose(found[system.pairs], of_pairs, atol=1e-13)
    right = rng.normal(size=(J, 3))
    solved = np.linalg.solve(dense, right.ravel()).reshape(J, 3)
    np.testing.assert_allclose(system.times(found, right), solved, atol=1e-13)


def test_thousands_of_therapists_in_practices_take_little_room():
    system = TherapistSystem.of(seen_by(8_000, 4_000, 4))
    assert system.packing.size < 4_000 * 3 * 12 * 2  # a dense matrix has 144,000,000 entries


def test_one_sided_differences_are_the_second_derivatives():
    def cubic(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float((x**3).sum() + x[0] * x[1]), 3 * x**2 + np.array([x[1], x[0], 0.0])

    x = np.array([0.5, -1.2, 3.0])
    exact = np.diag(6 * x) + np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0.0]])
    np.testing.assert_allclose(numeric_hessian(cubic, x, 1e-6, cubic(x)[1]), exact, atol=2e-5)
    np.testing.assert_allclose(numeric_hessian(cubic, x), exact, atol=1e-8)
