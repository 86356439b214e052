"""What exported files hold, as a Frictionless data package (https://datapackage.org): one JSON beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from outcomes.operate.exporting.described import DescribedColumn, DescribedTable
from outcomes.release.places import KeptRelease

DATAPACKAGE = "datapackage.json"
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_TYPES = {"VARCHAR": "string", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "datetime", "DOUBLE": "number"}
_MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def datapackage(study_name: str, release: KeptRelease, tables: Iterable[DescribedTable], suffix: str) -> dict[str, Any]:
    """Describe the files of an export.

    Parameters
    ----------
    study_name : str
    release : KeptRelease
    tables : iterable of DescribedTable
    suffix : {"csv", "parquet"}
    """
    return {
        "$schema": _PROFILE,
        "name": f"outcomes-{release.release_id}",
        "title": study_name,
        "version": release.release_id,
        "created": release.published_at,
        "description": "De-identified tables of one release. Empty cells are missing values.",
        "resources": [
            {
                "name": table.name,
                "path": f"{table.name}.{suffix}",
                "title": table.description,
                "format": suffix,
                "mediatype": _MEDIA[suffix],
                "encoding": "utf-8",
                "schema": {"fields": [_field(column) for column in table.columns], "missingValues": [""]},
            }
            for table in tables
        ],
    }


def _field(column: DescribedColumn) -> dict[str, Any]:
    is_whole = column.type.endswith(("INTEGER", "BIGINT"))
    low, high = column.ends
    constraints = {"minimum": low, "maximum": high, "enum": list(column.codes) or None}
    if is_whole:
        constraints |= {key: int(constraints[key]) for key in ("minimum", "maximum") if constraints[key] is not None}
    field: dict[str, Any] = {
        "name": column.name,
        "type": "integer" if is_whole else _TYPES.get(column.type, "any"),
        "description": column.description,
    }
    if column.type == "BOOLEAN":
        field |= {"trueValues": ["true"], "falseValues": ["false"]}
    said = {key: value for key, value in constraints.items() if value is not None}
    return field | ({"unit": column.unit} if column.unit else {}) | ({"constraints": said} if said else {})
