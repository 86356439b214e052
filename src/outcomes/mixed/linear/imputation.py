"""Multiple imputation of ratings within the fitted mixed model, clients' and therapists' effects included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import scipy
from scipy import sparse
from scipy.sparse.linalg import splu

from outcomes.errors import UsageError
from outcomes.mixed.design.new_data import NewRows, new_rows
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.results.modes import VarianceBlock


@dataclass(frozen=True)
class Block:
    """One bracket on all rows: its group, names (k,) and columns (n, k), level codes (n,), covariance (k, k), relative
    errors of the SDs (k,)."""

    group: str
    names: tuple[str, ...]
    columns: np.ndarray
    codes: np.ndarray
    n_levels: int
    cov: np.ndarray
    errors: np.ndarray

    def of_rows(self, rows: np.ndarray, changed: Mapping[str, np.ndarray] = MappingProxyType({})) -> Block:
        """The same on some rows; some columns, shape (rows,), otherwise."""
        return replace(self, columns=_columns(self.names, self.columns[rows], changed), codes=self.codes[rows])

    @property
    def places(self) -> np.ndarray:
        """Which of the block's effects each column of each row has, shape (n, k)."""
        k = len(self.names)
        return self.codes[:, None] * k + np.arange(k)

    @property
    def n_effects(self) -> int:
        """Effects of all levels."""
        return self.n_levels * len(self.names)


@dataclass(frozen=True)
class Rated:
    """What the rated rows tell of the effects, whatever the variances are.

    Parameters
    ----------
    X : ndarray, shape (n_rated, p)
    blocks : tuple of Block
    gram : csc_array, shape (q, q)
        Cross-products of all fixed and random columns.
    """

    X: np.ndarray
    blocks: tuple[Block, ...]
    gram: sparse.csc_array

    @classmethod
    def of(cls, X: np.ndarray, blocks: tuple[Block, ...]) -> Rated:
        """Sum the cross-products."""
        parts = [sparse.csr_array(X)]
        for block in blocks:
            n, k = block.columns.shape
            places = (np.repeat(np.arange(n), k), block.places.ravel())
            parts.append(sparse.csr_array((block.columns.ravel(), places), shape=(n, block.n_effects)))
        W = sparse.hstack(parts, format="csr")
        return cls(X, blocks, sparse.csc_array(W.T @ W))

    def times(self, values: np.ndarray) -> np.ndarray:
        """Cross-products of the columns with values of the rows."""
        parts = [self.X.T @ values]
        parts += [
            np.bincount(block.places.ravel(), (block.columns * values[:, None]).ravel(), block.n_effects)
            for block in self.blocks
        ]
        return np.concatenate(parts)


def impute_linear(fit: LinearFit, data: Any, outcome: np.ndarray, n_imputations: int, seed: int) -> np.ndarray:
    """Draw missing ratings from their distribution given the observed ones under a fitted model.

    For each imputation: standard deviations from normal approximations around the estimates (Wald errors of their
    logarithms; a component estimated as zero stays zero), then fixed and random effects together from their exact
    posterior given these, then residuals. The imputation model is the analysis model, so the two are compatible (Grund,
    Luedtke & Robitzsch 2021, doi 10.3758/s13428-020-01530-0); what is imputed is the outcome alone, never a square or
    product of it.

    Parameters
    ----------
    fit : LinearFit
        Of engine="outcomes", to the observed ratings of these rows.
    data : relation, frame or table
        Rows with all predictors and groups, rated or not.
    outcome : ndarray, shape (n,)
        Ratings; NaN where missing.
    n_imputations : int
    seed : int

    Returns
    -------
    ndarray, shape (n_imputations, number of missing ratings)
        In the order of the rows. A level without any rating gets an effect from the population of levels.

    Raises
    ------
    UsageError
        If a predictor is missing somewhere, or the lengths differ.

    Notes
    -----
    The posterior draw perturbs the mixed-model equations: C x = W'(y / sigma^2 + e1 / sigma) + D^(1/2) e2 has mean
    C^-1 W'y / sigma^2 and covariance C^-1 (Papandreou & Yuille 2010).
    """
    imputer, rng = Imputer.of(fit, data, outcome), np.random.default_rng(seed)
    draws = np.empty((n_imputations, int(imputer.is_missing.sum())))
    for draw in draws:
        draw[:] = imputer.draw(rng)
    return draws


@dataclass(frozen=True)
class Imputer:
    """What imputations of an outcome need: the rows' predictors and ratings, levels by number and not by name.

    Parameters
    ----------
    names : tuple of str, length p
    X : ndarray, shape (n, p)
    blocks : tuple of Block
        One a bracket.
    is_missing : ndarray of bool, shape (n,)
    rated : ndarray
        Ratings of the others, less the offset.
    offset : ndarray, shape (n,)
    sigma, sigma_error : float
        Residual standard deviation and its relative error.
    """

    names: tuple[str, ...]
    X: np.ndarray
    blocks: tuple[Block, ...]
    is_missing: np.ndarray
    rated: np.ndarray
    offset: np.ndarray
    sigma: float
    sigma_error: float

    @classmethod
    def of(cls, fit: LinearFit, data: Any, outcome: np.ndarray) -> Imputer:
        """Prepare the imputations; see `impute_linear`."""
        rows = new_rows(fit.engine_state.gram.design(fit.formula), fit.names, data)
        outcome = np.asarray(outcome, dtype=float)
        if outcome.shape != (len(rows.X),):
            raise UsageError(f"{len(rows.X)} rows need as many outcomes; {outcome.size} were given.")
        if not np.isfinite(rows.X).all():
            raise UsageError("Rows without all predictors cannot be imputed.", "leave them out or fill them in first")
        is_missing = np.isnan(outcome)
        errors, sigma_error = _relative_errors(fit)
        codes = {group: _codes(labels) for group, labels in rows.labels.items()}
        blocks = tuple(_block(block, rows, codes[block.group], errors) for block in fit.variances)
        return cls(
            names=fit.names,
            X=rows.X,
            blocks=blocks,
            is_missing=is_missing,
            rated=(outcome - rows.offset)[~is_missing],
            offset=rows.offset,
            sigma=fit.sigma,
            sigma_error=sigma_error,
        )

    def draw(self, rng: np.random.Generator, changed: Mapping[str, np.ndarray] = MappingProxyType({})) -> np.ndarray:
        """The missing ratings, in the order of the rows.

        Parameters
        ----------
        rng : numpy.random.Generator
        changed : mapping of str to ndarray, each of shape (number of missing ratings,)
            Other values of predictors on the rows without a rating.
        """
        sigma, lost = _drawn(rng, self.sigma, self.sigma_error), self.is_missing
        scale = _scale(self.X.shape[1], self.blocks, rng)
        effects = scale @ _effects(self._rated, scale, self.rated, sigma, rng)
        p = self.X.shape[1]
        found = _columns(self.names, self.X[lost], changed) @ effects[:p]
        start = p
        for block in self.blocks:
            own = block.of_rows(lost, changed)
            found += np.einsum("nk,nk->n", own.columns, effects[start + own.places])
            start += block.n_effects
        return found + (rng.normal(0.0, sigma, found.size) + self.offset[lost])

    @cached_property
    def _rated(self) -> Rated:
        given = ~self.is_missing
        return Rated.of(self.X[given], tuple(block.of_rows(given) for block in self.blocks))


def _relative_errors(fit: LinearFit) -> tuple[dict[tuple[str, str], float], float]:
    """Standard errors of the logarithms of the standard deviations, 0 where there is none; and sigma's."""
    half = scipy.stats.norm.ppf(0.975)
    found = {
        (row["group"], row["name"]): 0.0
        if row["conf_low"] is None
        else float(np.log(row["conf_high"] / row["sd"]) / half)
        for row in fit.sd_conf_int().iter_rows(named=True)
    }
    return found, found.pop(("Residual", "sigma"))


def _codes(labels: pl.Series) -> tuple[np.ndarray, int]:
    """Each row's level by number, in the order of the names, and how many there are."""
    levels, codes = np.unique(labels.to_numpy().astype(str), return_inverse=True)
    return codes.astype(np.int32), levels.size


def _block(
    block: VarianceBlock, rows: NewRows, codes: tuple[np.ndarray, int], errors: dict[tuple[str, str], float]
) -> Block:
    columns = np.column_stack([rows.Z[name] for name in block.names])
    relative = np.array([errors[block.group, name] for name in block.names])
    return Block(block.group, block.names, columns, *codes, block.cov, relative)


def _drawn(rng: np.random.Generator, sd: np.ndarray | float, relative_error: np.ndarray | float):
    """Standard deviations drawn around their estimates; the sign of a standard deviation has no meaning."""
    return np.abs(sd + sd * np.asarray(relative_error) * rng.normal(size=np.shape(sd)))


def _columns(names: tuple[str, ...], columns: np.ndarray, changed: Mapping[str, np.ndarray]) -> np.ndarray:
    """Columns (n, k) with other values where they are among the changed ones."""
    for name in set(names) & set(changed):
        columns = columns.copy()
        columns[:, names.index(name)] = changed[name]
    return columns


def _scale(n_fixed: int, blocks: Sequence[Block], rng: np.random.Generator) -> sparse.csc_array:
    """What makes effects of effects with variance one (fixed ones stay), shape (q, q), with drawn standard
    deviations."""
    parts = [sparse.eye_array(n_fixed)]
    for block in blocks:
        change = _drawn(rng, np.ones(len(block.errors)), block.errors)
        values, vectors = np.linalg.eigh(block.cov * np.outer(change, change))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        parts.append(sparse.kron(sparse.eye_array(block.n_levels), root))
    return sparse.csc_array(sparse.block_diag(parts, format="csc"))


def _effects(rows: Rated, scale: sparse.csc_array, y: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """One draw of all effects given the standard deviations; flat prior of the fixed ones, N(0, 1) of the others."""
    prior = np.ones(scale.shape[0])
    prior[: rows.X.shape[1]] = 0.0
    C = sparse.csr_array((scale.T @ rows.gram @ scale) / sigma**2 + sparse.diags_array(prior))
    right = scale.T @ rows.times(y / sigma**2 + rng.normal(size=y.size) / sigma)
    right += np.sqrt(prior) * rng.normal(size=prior.size)
    return _solve(C, right, rows)


def _solve(C: sparse.csr_array, right: np.ndarray, rows: Rated) -> np.ndarray:
    """Solve the mixed-model equations: the factor of most levels by its own small blocks, the rest in the order in
    which few more become linked (factors of more levels first, fixed columns last)."""
    n_fixed = rows.X.shape[1]
    ends = n_fixed + np.cumsum([block.n_effects for block in rows.blocks])
    parts = [np.arange(end - block.n_effects, end) for block, end in zip(rows.blocks, ends, strict=True)]
    most_first = np.argsort([-part.size for part in parts], kind="stable")
    first, *others = [parts[i] for i in most_first]
    rest = np.concatenate([*others, np.arange(n_fixed)])
    k = len(rows.blocks[most_first[0]].names)
    own = C[first][:, first].tobsr(blocksize=(k, k))
    inverse = sparse.bsr_array((np.linalg.inv(own.data), own.indices, own.indptr), shape=own.shape)
    cross = sparse.csr_array(C[first][:, rest])
    left = C[rest][:, rest] - cross.T @ (inverse @ cross)
    factored = splu(sparse.csc_matrix(left), permc_spec="NATURAL", options={"SymmetricMode": True})
    found = np.empty(right.size)
    found[rest] = factored.solve(right[rest] - cross.T @ (inverse @ right[first]))
    found[first] = inverse @ (right[first] - cross @ found[rest])
    return found
