"""Ruled paper: find the straight lines that run across the page, and take them away.

A rule shows as a row of ink nearly as long as the page, perhaps a little tilted. Along it, ink
that is hardly thicker than the rule is removed; where handwriting crosses, the ink is thicker
and stays.
"""

import numpy as np

CELL = 4  # pixels: rules are looked for on a coarse grid, so that small tilts need no trial
STEEPEST = 0.06  # rise over run: about 3.5 degrees
LONG = 0.7  # of the page's width is covered by a rule
THICKEST = 0.012  # of the page's width: thicker bars are no rules


def find_ruled_lines(ink: np.ndarray) -> np.ndarray:
    """Where ruled lines are, in both directions; ink (H,W) bool -> (H,W) bool."""
    return _horizontal(ink) | _horizontal(ink.T).T


def _horizontal(ink: np.ndarray) -> np.ndarray:
    near = np.zeros_like(ink)
    columns = np.arange(ink.shape[1])
    for start, rise in _rows(ink):
        for beside in range(-CELL, CELL + 1):
            rows = np.rint(start + rise * columns).astype(int) + beside
            inside = (rows >= 0) & (rows < ink.shape[0])
            near[rows[inside], columns[inside]] = True
    return _thin_runs(ink, near) if near.any() else near


def _rows(ink: np.ndarray) -> list[tuple[float, float]]:
    """Straight rows of ink across the page: y at x = 0 in pixels, and rise over run."""
    H, W = (length // CELL for length in ink.shape)
    cells = ink[: H * CELL, : W * CELL].reshape(H, CELL, W, CELL).any(axis=(1, 3))
    y, x = np.nonzero(cells)
    reach = int(np.ceil(STEEPEST * W))
    found: list[tuple[float, float]] = []
    for rise in np.arange(-reach, reach + 1) / max(W, 1):
        starts = np.rint(y - rise * x).astype(int) + reach
        covered = np.bincount(starts, minlength=H + 2 * reach)
        for start in np.flatnonzero(covered >= LONG * W):
            found.append((float(start - reach + 0.5) * CELL, float(rise)))
    return found


def _thin_runs(ink: np.ndarray, near: np.ndarray) -> np.ndarray:
    """The vertical runs of ink near a rule that are about as thick as it, (H,W) bool."""
    standing = np.ascontiguousarray(ink.T)  # column by column, so that runs are consecutive
    begins = standing.copy()
    begins[:, 1:] &= ~standing[:, :-1]
    runs = np.cumsum(begins.ravel())
    runs[~standing.ravel()] = 0
    length = np.bincount(runs)
    touched = np.zeros(len(length), bool)
    touched[runs[near.T.ravel() & standing.ravel()]] = True
    touched[0] = False
    usual = float(np.median(length[touched])) if touched.any() else 0.0
    thin = touched & (length <= min(1.5 * usual + 1, max(THICKEST * ink.shape[1], 2)))
    return thin[runs].reshape(standing.shape).T
