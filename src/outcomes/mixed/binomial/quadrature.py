"""Adaptive Gauss-Hermite quadrature for one scalar grouping factor, with its exact gradient.

Each level's integral is taken over K nodes u_k = u + sqrt(2) tau x_k around its mode u, tau = H^-1/2 (Pinheiro &
Bates 1995, doi 10.1080/10618600.1995.10474663; lme4's nAGQ):

    -log L_l = -log(tau) - log sum_k w_k exp(x_k^2 - h_l(u_k)) + log(pi) / 2,     h_l(u) = -l_l(u) + u^2 / 2

One node is the Laplace approximation. The gradient follows the nodes: u and tau move with the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import roots_hermite

from outcomes.mixed.binomial.laplace import LaplaceDeviance, Mode
from outcomes.mixed.binomial.passes import derivatives
from outcomes.mixed.binomial.rows import Chunk, over_parts


@dataclass(frozen=True)
class Nodes:
    """Quantities at the nodes, (levels, K): positions u, penalised deviance h and its slope, posterior weights."""

    u: np.ndarray
    slope: np.ndarray
    share: np.ndarray
    value: float


@dataclass
class QuadratureDeviance:
    """Deviance -2 log L and its gradient by K nodes; searches its modes by way of a `LaplaceDeviance`."""

    laplace: LaplaceDeviance
    n_nodes: int

    def __call__(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient in psi = (beta, theta); infinite where the modes cannot be found."""
        mode = self.laplace.mode_at(psi)
        if mode is None:
            return np.inf, np.zeros(psi.size)
        nodes = self._nodes(psi, mode)
        self.laplace.n_passes += 2 * self.n_nodes
        return 2 * nodes.value, 2 * self._gradient(psi, mode, nodes)

    def _nodes(self, psi: np.ndarray, mode: Mode) -> Nodes:
        """Evaluate h and its slope at every node of every level."""
        model = self.laplace.model
        rows, link, beta, sd = model.rows, model.link, psi[model.layout.beta], psi[model.layout.theta].item()
        x, w = roots_hermite(self.n_nodes)
        tau = np.sqrt(mode.inner.main_inverse[:, 0, 0])
        u = mode.u[0] + np.sqrt(2) * tau[:, None] * x

        def work(chunks: Iterator[Chunk]) -> tuple[np.ndarray, np.ndarray]:
            loglik, score = np.zeros_like(u), np.zeros_like(u)
            for chunk in chunks:
                for k in range(self.n_nodes):
                    row = derivatives(chunk, link, beta, sd * u[:, k, None])
                    chunk.add_to(loglik[:, k], row.loglik)
                    chunk.add_to(score[:, k], row.score)
            return loglik, score

        loglik, score = over_parts(rows, work, lambda a, b: (a[0] + b[0], a[1] + b[1]))
        h = -loglik + u**2 / 2
        terms = np.log(w) + x**2 - h
        top = terms.max(axis=1)
        share = np.exp(terms - top[:, None])
        total = share.sum(axis=1)
        value = -(np.log(tau) + top + np.log(total)).sum() + u.shape[0] * 0.5 * np.log(np.pi)
        return Nodes(u, u - sd * score, share / total[:, None], float(value))

    def _gradient(self, psi: np.ndarray, mode: Mode, nodes: Nodes) -> np.ndarray:
        """Gradient with the nodes moving.

        Per level, with g_k the slope of h: by_mode = sum share g (weight of du/dpsi) and by_logh, the weight of
        dlogH/dpsi, since dtau = -tau dlogH / 2.
        """
        model = self.laplace.model
        rows, link, beta, sd = model.rows, model.link, psi[model.layout.beta], psi[model.layout.theta].item()
        blocks = model.blocks
        by_mode = (nodes.share * nodes.slope).sum(axis=1)
        by_logh = 0.5 - 0.5 * (nodes.share * nodes.slope * (nodes.u - mode.u[0])).sum(axis=1)
        variance = mode.inner.main_inverse[:, 0, 0]
        third = blocks.to_levels(0, mode.moments.third)
        weight = blocks.to_levels(0, mode.moments.weight[:, 0, 0])
        score = blocks.to_levels(0, mode.moments.score[:, 0])
        u = mode.u[0][:, 0]
        # du/dpsi also carries the movement of H that comes from the mode.
        along_mode = by_mode + by_logh * variance * sd**3 * third
        on_third = by_logh * variance * sd**2
        on_weight = along_mode * variance * sd

        def work(chunks: Iterator[Chunk]) -> np.ndarray:
            out = np.zeros(rows.n_columns)
            for chunk in chunks:
                row = derivatives(chunk, link, beta, mode.coefficients)
                total = row.third * chunk.spread(on_third) - row.weight * chunk.spread(on_weight)
                for k in range(self.n_nodes):
                    at_node = derivatives(chunk, link, beta, sd * nodes.u[:, k, None])
                    total -= at_node.score * chunk.spread(nodes.share[:, k])
                out += chunk.weighted_sum(total)
            return out

        by_beta = over_parts(rows, work, np.add)
        # theta: eta moves by u; H = 1 + sd^2 w. At the nodes dh/dsd = -u_k d_k = -u_k (u_k - slope_k) / sd.
        scaled_score = (nodes.u - nodes.slope) / sd if sd else np.zeros_like(nodes.u)
        by_sd = -(nodes.share * nodes.u * scaled_score).sum()
        by_sd += (along_mode * variance * (score - sd * weight * u)).sum()
        by_sd += (by_logh * variance * (2 * sd * weight + sd**2 * third * u)).sum()
        return model.layout.join(by_beta, np.array([by_sd]))


def deviance_by_nodes(laplace: LaplaceDeviance, nagq: int) -> LaplaceDeviance | QuadratureDeviance:
    """Laplace's deviance for one node, quadrature for more."""
    return laplace if nagq == 1 else QuadratureDeviance(laplace, nagq)
