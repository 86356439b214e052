"""Grouping factors as integer codes with their levels in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from outcomes.mixed.design.data import in_memory


@dataclass(frozen=True)
class Levels:
    """A grouping factor over rows or cells.

    Parameters
    ----------
    name : str
        E.g. ``client_id`` or ``therapist_id:practice_id``.
    codes : ndarray of int32, shape (n,)
        Position of each row's level in `labels`.
    labels : polars.Series
        The levels in order: values of the column, or text ``a:b`` for combinations.
    """

    name: str
    codes: np.ndarray
    labels: pl.Series

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.labels)

    def codes_of(self, labels: pl.Series) -> np.ndarray:
        """Position of each label, by its text, among the levels; -1 for new or missing ones."""
        return codes_of(self.labels, labels)


def codes_of(levels: pl.Series, labels: pl.Series) -> np.ndarray:
    """Position of each label, by its text, among the levels; -1 for new or missing ones."""
    position = pl.DataFrame({"label": as_text(levels), "code": np.arange(len(levels))})
    wanted = as_text(labels).to_frame("label")
    return wanted.join(position, on="label", how="left", maintain_order="left")["code"].fill_null(-1).to_numpy()


def as_text(labels: pl.Series) -> pl.Series:
    """Levels as the database writes them: polars writes times and some numbers in other words."""
    if labels.dtype in (pl.String, pl.Null) or labels.dtype.is_integer():
        return labels.cast(pl.String)
    shown = in_memory().cursor().from_arrow(pa.table({"v": labels.to_arrow()}))
    written = shown.project("cast(v as varchar) as v")
    return pl.from_arrow(written.to_arrow_table())["v"]


def encode(table: pa.Table, group: tuple[str, ...]) -> Levels:
    """Code the combination of some columns of a table; levels sort by value."""
    codes, labels = _encode_column(table.column(group[0]))
    for name in group[1:]:
        inner, inner_labels = _encode_column(table.column(name))
        combined = codes.astype(np.int64) * len(inner_labels) + inner
        unique, codes = np.unique(combined, return_inverse=True)
        codes = codes.astype(np.int32)
        left, right = np.divmod(unique, len(inner_labels))
        labels = as_text(labels)[left] + ":" + as_text(inner_labels)[right]
    return Levels(":".join(group), codes, labels)


def _encode_column(column: pa.ChunkedArray) -> tuple[np.ndarray, pl.Series]:
    """Codes and sorted distinct values of one column."""
    encoded = column.combine_chunks() if not pa.types.is_dictionary(column.type) else column.cast(pa.string())
    encoded = (encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded).dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    values = pl.from_arrow(encoded.dictionary)
    order = values.arg_sort().to_numpy()
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[encoded.indices.to_numpy(zero_copy_only=False)], values[order].alias("")
