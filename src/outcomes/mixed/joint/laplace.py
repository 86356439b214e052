"""The shared-parameter likelihood and its exact gradient: clients by quadrature, therapists by Laplace's method.

With standard normal effects u_i (client: intercept, slope) and v_j (therapist: intercept, slope, dropout's own), and b
the five of them that a cell has,

    y = X beta + (l0 + l1 x)'b + e,        e ~ N(0, sigma^2)
    logit h = W gamma + c'b,               h the hazard of dropping out after the session
    l0 = (s_u, 0, s_v, 0, 0),  l1 = (s_uw, s_w, 0, s_s, 0),  c = (lambda_u, lambda_w, lambda_v, 0, tau)

so that without lambda_w lambda_u / s_u is the change of the logit per unit of the client's effect on the rating (Wu &
Carroll 1988, doi 10.2307/2531905; Follmann & Wu 1995, doi 10.2307/2533322). Where the hazard depends on the current
value m = X beta + (l0 + l1 x)'b at the session itself,

    logit h = W gamma + alpha m + tau v,   so that b has the loading c + x c1 with c = alpha l0 + tau e, c1 = alpha l1

(Rizopoulos 2012, doi 10.1201/b12208). Given the therapists' effects the clients' are independent:
clients are eliminated by blocks of two, and a system of three unknowns a therapist is left (Laplace: Tierney & Kadane
1986, doi 10.1080/01621459.1986.10478240).

A client has few chances to drop out, and Laplace's approximation alone makes the association too weak. With z standard
normal (two of them where the slope is shared), R R' the covariance of u_i given the data and d_t = (c + x c1)'R z,
what it leaves out of client i's integral is

    r_i = E exp sum_t [l(eta_t + d_t) - l(eta_t) - l'(eta_t) d_t - l''(eta_t) d_t^2 / 2],

l the log-likelihood of the hazard's rows (the ratings' part is normal already), taken by Gauss-Hermite nodes at the
therapists' modes.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from outcomes.links import Link
from outcomes.mixed.joint.points import (
    AT,
    CLIENT,
    CURRENT,
    THERAPIST,
    Correction,
    Curvature,
    Parameters,
    Point,
)
from outcomes.mixed.joint.rows import JointRows
from outcomes.mixed.joint.therapists import TherapistSystem
from outcomes.mixed.layout import JointLayout

N_NODES = 9
N_NODES_EACH = 5
"""Of the quadrature over a client's shared effect, and in each direction over two; it starts from Laplace's
approximation, so few are enough."""

_SETTLED = 1e-9
"""Newton decrement after which one more step is exact to rounding."""
_MOST_STEPS = 60


class JointDeviance:
    """Minus twice the log-likelihood and its gradient; keeps the last modes as the next start."""

    def __init__(self, rows: JointRows, link: Link, free: tuple[str, ...], n_nodes: int = N_NODES) -> None:
        self.rows, self.link, self.free = rows, link, free
        self.layout = JointLayout(rows.ratings.fixed.shape[1], rows.hazard.W.shape[1], free)
        cells = rows.cells
        self._therapists = TherapistSystem.of(cells)
        self._client = cells.client[rows.hazard.cell]  # of the hazard's rows, which are sorted by it
        self._at_risk, self._first = np.unique(self._client, return_index=True)
        self._has_x = bool(rows.hazard.x.any())
        self._effects = (np.zeros((cells.n_clients, 2)), np.zeros((cells.n_therapists, 3)))
        has_two = "lambda_w" in free or {CURRENT, "s_w"} <= set(free)
        nodes, weights = hermegauss(N_NODES_EACH if has_two else n_nodes)
        weights = weights / weights.sum()
        other, of_other = (nodes, weights) if has_two else (np.zeros(1), np.ones(1))
        self._nodes = np.stack(np.meshgrid(nodes, other, indexing="ij"), axis=-1).reshape(-1, 2)
        self._weights = np.outer(weights, of_other).ravel()

    def __call__(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        """(deviance, gradient) at psi = (beta, gamma, log sigma, free loadings); inf where it cannot be evaluated."""
        at = self.parameters(psi)
        with np.errstate(over="ignore", invalid="ignore"):
            found = self._mode(at)
        if found is None:
            return np.inf, np.zeros_like(psi)
        point, curvature = found
        constant = self.rows.ratings.n_rows * np.log(2 * np.pi)
        correction = self._correction(at, point, curvature)
        value = 2 * (point.value + correction.value) + curvature.log_determinant + constant
        return value, 2 * self._gradient(at, point, curvature, correction)

    def parameters(self, psi: np.ndarray) -> Parameters:
        """Take psi apart."""
        beta, gamma, log_sigma, free = self.layout.parts
        loadings, alpha = np.zeros((4, 5)), 0.0
        for name, value in zip(self.free, psi[free], strict=True):
            if name == CURRENT:
                alpha = float(value)
            else:
                loadings[AT[name]] = value
        loadings[2:] += alpha * loadings[:2]
        return Parameters(psi[beta], psi[gamma], float(np.exp(-2 * psi[log_sigma].item())), loadings, alpha)

    def _mode(self, at: Parameters) -> tuple[Point, Curvature] | None:
        """Newton's method with halved steps; the joint likelihood is log-concave in the effects."""
        u, v = self._effects
        point = self._point(at, u, v)
        if not np.isfinite(point.value):
            u, v = np.zeros_like(u), np.zeros_like(v)
            point = self._point(at, u, v)
        for _ in range(_MOST_STEPS):
            if not np.isfinite(point.value):
                return None
            curvature = self._curvature(point)
            if curvature is None:
                return None
            gradient = self._effects_gradient(at, point, u, v)
            step = self._solve(curvature, *gradient)
            decrement = float(sum(np.sum(g * s) for g, s in zip(gradient, step, strict=True)))
            size = 1.0
            while True:
                moved = u - size * step[0], v - size * step[1]
                new = self._point(at, *moved)
                if new.value <= point.value + 1e-9 * (1 + abs(point.value)) or size < 1e-4:
                    break
                size /= 2
            (u, v), point = moved, new
            if decrement < _SETTLED:
                self._effects = u, v
                curvature = self._curvature(point)
                return None if curvature is None else (point, curvature)
        return None

    def _point(self, at: Parameters, u: np.ndarray, v: np.ndarray) -> Point:
        rows, sums, cells = self.rows, self.rows.ratings, self.rows.cells
        l0, l1, c, c1 = at.loadings
        b = np.concatenate([u[cells.client], v[cells.therapist]], axis=1)
        a0, a1 = b @ l0, b @ l1
        free0, free1 = sums.y - sums.fixed @ at.beta, sums.yx - sums.fixed_x @ at.beta
        fixed = sums.square - 2 * at.beta @ sums.cross + at.beta @ sums.gram @ at.beta
        r0, r1 = free0 - sums.n * a0 - sums.x * a1, free1 - sums.x * a0 - sums.xx * a1
        rss = float(fixed - np.sum(a0 * (free0 + r0) + a1 * (free1 + r1)))
        hazard = rows.hazard
        eta = hazard.W @ at.gamma + (b @ c)[hazard.cell] + hazard.x * (b @ c1)[hazard.cell]
        if at.alpha:
            eta = eta + at.alpha * (hazard.fixed @ at.beta)
        row = self.link.derivatives(eta, hazard.events, None)
        score = np.stack([hazard.by_cell @ row.score, hazard.by_cell @ (hazard.x * row.score)])
        weight = np.stack([hazard.by_cell @ (hazard.x**power * row.weight) for power in range(3)])
        M = at.precision * (
            sums.n[:, None, None] * np.outer(l0, l0)
            + sums.x[:, None, None] * (np.outer(l0, l1) + np.outer(l1, l0))
            + sums.xx[:, None, None] * np.outer(l1, l1)
        ) + (
            weight[0][:, None, None] * np.outer(c, c)
            + weight[1][:, None, None] * (np.outer(c, c1) + np.outer(c1, c))
            + weight[2][:, None, None] * np.outer(c1, c1)
        )
        value = (
            -0.5 * sums.n_rows * np.log(at.precision)
            + 0.5 * at.precision * rss
            - float(row.loglik.sum())
            + 0.5 * float(np.sum(u**2) + np.sum(v**2))
        )
        return Point(value, eta, b, r0, r1, rss, row.score, row.weight, row.third, score, weight, M)

    def _effects_gradient(self, at: Parameters, point: Point, u: np.ndarray, v: np.ndarray) -> tuple:
        """Gradient of the joint negative log-likelihood in the effects."""
        l0, l1, c, c1 = at.loadings
        by_cell = -at.precision * (np.outer(point.r0, l0) + np.outer(point.r1, l1))
        by_cell -= np.outer(point.cell_score[0], c) + np.outer(point.cell_score[1], c1)
        return u + self._by_client(by_cell[:, CLIENT]), v + self.rows.cells.by_therapist @ by_cell[:, THERAPIST]

    def _curvature(self, point: Point) -> Curvature | None:
        """Eliminate the clients and factorise what is left."""
        cells = self.rows.cells
        A = np.eye(2) + self._by_client(point.M[:, CLIENT, CLIENT])
        K = point.M[:, CLIENT, THERAPIST]
        A_inverse, determinant = _inverse_of_two(A)
        own = (cells.by_therapist @ point.M[:, THERAPIST, THERAPIST].reshape(-1, 9)).reshape(-1, 3, 3)
        inverse = A_inverse[cells.client]
        spread = (inverse[:, :, :1] * K[:, :1] + inverse[:, :, 1:] * K[:, 1:])[cells.second]
        left = K[cells.first]
        blocks = left[:, 0, :, None] * spread[:, 0, None] + left[:, 1, :, None] * spread[:, 1, None]
        try:
            S_inverse, log_determinant = self._therapists.inverse(own, blocks)
        except np.linalg.LinAlgError:
            return None
        return Curvature(A_inverse, K, S_inverse, float(np.log(determinant).sum() + log_determinant))

    def _solve(self, curvature: Curvature, g_u: np.ndarray, g_v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Solve H (u, v) = (g_u, g_v)."""
        cells, K = self.rows.cells, curvature.K
        reduced = np.einsum("cab,cb->ca", curvature.A_inverse, g_u)[cells.client]
        right = g_v - cells.by_therapist @ np.einsum("kab,ka->kb", K, reduced)
        v = self._therapists.times(curvature.S_inverse, right)
        left = g_u - self._by_client(np.einsum("kab,kb->ka", K, v[cells.therapist]))
        return np.einsum("cab,cb->ca", curvature.A_inverse, left), v

    def _inverse_by_cell(self, curvature: Curvature) -> np.ndarray:
        """Blocks (K, 5, 5) of H^-1 that belong to each cell's client and therapist."""
        cells, K = self.rows.cells, curvature.K
        between = np.swapaxes(curvature.S_inverse[self._therapists.pairs], 1, 2)
        # pairs are sorted by their first cell
        starts = np.searchsorted(cells.first, np.arange(cells.client.size))
        Q = np.add.reduceat(K[cells.second] @ between, starts, axis=0)
        A_inverse = curvature.A_inverse
        spread = self._by_client(np.einsum("kab,kcb->kac", Q, K))
        inner = A_inverse + A_inverse @ spread @ A_inverse
        V = np.empty((cells.client.size, 5, 5))
        V[:, CLIENT, CLIENT] = inner[cells.client]
        V[:, CLIENT, THERAPIST] = -A_inverse[cells.client] @ Q
        V[:, THERAPIST, CLIENT] = np.swapaxes(V[:, CLIENT, THERAPIST], 1, 2)
        V[:, THERAPIST, THERAPIST] = curvature.S_inverse[self._therapists.own][cells.therapist]
        return V

    def _correction(self, at: Parameters, point: Point, curvature: Curvature) -> Correction:
        """What quadrature over the clients' shared effects adds to Laplace's approximation."""
        hazard, own, client = self.rows.hazard, at.loadings[2:, CLIENT], self._client
        root = np.linalg.cholesky(curvature.A_inverse)
        moved = root @ self._nodes.T  # (C, 2, Q)
        shift, tilt = np.einsum("ka,caq->kqc", own, moved)
        here = self.link.derivatives(point.eta, hazard.events, None)
        curve, bend = 0.5 * here.weight, 0.5 * here.third
        sums = np.zeros((len(self._weights), 3, len(root)))  # of the rest, its slope, and x times that
        by_eta = []
        for of_constant, of_x, own_sums in zip(shift, tilt, sums, strict=True):
            delta = of_constant[client]
            if self._has_x:
                delta += hazard.x * of_x[client]
            square = delta**2
            there = self.link.derivatives(point.eta + delta, hazard.events, None)
            slope = there.score - here.score + here.weight * delta
            parts = [there.loglik - here.loglik - here.score * delta + curve * square, slope]
            parts += [hazard.x * slope] if self._has_x else []
            for into, part in zip(own_sums, parts, strict=False):
                into[self._at_risk] = np.add.reduceat(part, self._first)
            by_eta.append(slope + bend * square)
        log_terms = sums[:, 0] + np.log(self._weights)[:, None]
        top = log_terms.max(axis=0)
        share = np.exp(log_terms - top)
        total = share.sum(axis=0)
        share /= total
        weighted = share[:, None] * sums[:, 1:]  # node, (1, x), client
        by_root = -np.einsum("qkc,ka,qb->cab", weighted, own, self._nodes, optimize=True)
        return Correction(
            value=-float(np.sum(top + np.log(total))),
            by_eta=-sum(part[client] * own_eta for part, own_eta in zip(share, by_eta, strict=True)),
            by_covariance=_by_covariance(by_root, root),
            by_loading=-np.einsum("qkc,caq->ka", weighted, moved, optimize=True),
        )

    def _gradient(self, at: Parameters, point: Point, curvature: Curvature, correction: Correction) -> np.ndarray:
        """Gradient of value + log|H| / 2 + correction: at fixed modes, through H, and through the modes' own movement.

        The correction depends on H through sd(u_i), which enters as a further part of V. z = H^-1 d(...)/db carries the
        movement of the modes: dF = ... - z' d(gradient in b)/dpsi.
        """
        sums, cells, hazard = self.rows.ratings, self.rows.cells, self.rows.hazard
        l0, l1, c, c1 = at.loadings
        V = self._inverse_by_cell(curvature)
        pressure = -2 * curvature.A_inverse @ correction.by_covariance @ curvature.A_inverse
        V[:, CLIENT, CLIENT] += pressure[cells.client]
        V0, V1, Vc, Vc1 = V @ l0, V @ l1, V @ c, V @ c1
        halves = [0.5 * (Vc @ c), Vc @ c1, 0.5 * (Vc1 @ c1)]  # derivative in the weight of a row, by power of x
        half = sum(hazard.x**power * part[hazard.cell] for power, part in enumerate(halves))
        by_eta = half * point.third + correction.by_eta
        pull = np.outer(hazard.by_cell @ by_eta, c) + np.outer(hazard.by_cell @ (hazard.x * by_eta), c1)
        z_u, z_v = self._solve(curvature, self._by_client(pull[:, CLIENT]), cells.by_therapist @ pull[:, THERAPIST])
        z = np.concatenate([z_u[cells.client], z_v[cells.therapist]], axis=1)
        z0, z1 = z @ l0, z @ l1
        moves = (z @ c)[hazard.cell] + hazard.x * (z @ c1)[hazard.cell]
        of_rows = by_eta - point.score - moves * point.weight  # in each predictor of the hazard
        b, precision = point.b, at.precision
        free = b - z
        f0, f1 = free @ l0, free @ l1
        beta = -precision * (sums.cross - sums.gram @ at.beta - sums.fixed.T @ f0 - sums.fixed_x.T @ f1)
        trace = np.sum(sums.n * (V0 @ l0) + 2 * sums.x * (V0 @ l1) + sums.xx * (V1 @ l1))
        moved = z0 @ point.r0 + z1 @ point.r1
        log_sigma = sums.n_rows - precision * (point.rss + trace + 2 * moved)
        n, x, xx = (part[:, None] for part in (sums.n, sums.x, sums.xx))
        r0, r1 = point.r0[:, None], point.r1[:, None]
        from_l0 = -free * r0 + n * V0 + x * V1 - b * (n * z0[:, None] + x * z1[:, None])
        from_l1 = -free * r1 + x * V0 + xx * V1 - b * (x * z0[:, None] + xx * z1[:, None])
        w0, w1, w2 = point.cell_weight[:, :, None]
        own, own_x = (hazard.by_cell @ part for part in (of_rows, hazard.x * of_rows))
        from_c = own[:, None] * b + point.cell_score[0][:, None] * z + w0 * Vc + w1 * Vc1
        from_c1 = own_x[:, None] * b + point.cell_score[1][:, None] * z + w1 * Vc + w2 * Vc1
        by_loading = np.stack([precision * from_l0.sum(0), precision * from_l1.sum(0), from_c.sum(0), from_c1.sum(0)])
        by_loading[2:, CLIENT] += correction.by_loading
        by_alpha = 0.0
        if CURRENT in self.free:
            by_alpha = float(np.sum(by_loading[2:] * at.loadings[:2]) + of_rows @ (hazard.fixed @ at.beta))
            by_loading[:2] += at.alpha * by_loading[2:]
            beta = beta + at.alpha * (hazard.fixed.T @ of_rows)
        of_free = [by_alpha if name == CURRENT else by_loading[AT[name]] for name in self.free]
        return np.concatenate([beta, hazard.W.T @ of_rows, [log_sigma], of_free])

    def _by_client(self, by_cell: np.ndarray) -> np.ndarray:
        """Sums over the cells of each client."""
        return np.add.reduceat(by_cell, self.rows.cells.starts, axis=0)


def _inverse_of_two(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverses (C, 2, 2) and determinants (C,) of symmetric matrices of two rows."""
    determinant = A[:, 0, 0] * A[:, 1, 1] - A[:, 0, 1] ** 2
    inverse = np.empty_like(A)
    inverse[:, 0, 0], inverse[:, 1, 1] = A[:, 1, 1], A[:, 0, 0]
    inverse[:, 0, 1] = inverse[:, 1, 0] = -A[:, 0, 1]
    return inverse / determinant[:, None, None], determinant


def _by_covariance(by_root: np.ndarray, root: np.ndarray) -> np.ndarray:
    """From the derivative in R (C, 2, 2), lower, to the symmetric one in R R', so that dF = tr(P d(R R'))."""
    r00, r10, r11 = root[:, 0, 0], root[:, 1, 0], root[:, 1, 1]
    g00, g10, g11 = by_root[:, 0, 0], by_root[:, 1, 0], by_root[:, 1, 1]
    lower = g10 - g11 * r10 / r11
    found = np.empty_like(by_root)
    found[:, 1, 1] = g11 / (2 * r11)
    found[:, 0, 1] = found[:, 1, 0] = lower / (2 * r00)
    found[:, 0, 0] = (g00 - lower * r10 / r00) / (2 * r00)
    return found
