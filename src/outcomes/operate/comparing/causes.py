"""Why two releases differ, from their manifests: the data, the study file, the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def causes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each cause with the change in words; none where two releases went out of the same.

    Parameters
    ----------
    before, after : mapping
        Manifests.
    """
    old, new = ({one["batch_id"]: one for one in manifest["inputs"]} for manifest in (before, after))
    came, went = [new[name] for name in new if name not in old], [old[name] for name in old if name not in new]
    if came:
        yield "data", f"{_batches(came)} landed since"
    if went:
        yield "data", f"{_batches(went)} no longer there"
    altered = [name for name in old if name in new and old[name]["sha256"] != new[name]["sha256"]]
    if altered:
        yield "data", f"{_batches([new[name] for name in altered])} with other content (a withdrawal, say)"
    if before["study_sha256"] != after["study_sha256"]:
        yield "study file", "study.toml was changed; what it defines is under definitions"
    if before["code_version"] != after["code_version"]:
        yield "code", f"{before['code_version']} became {after['code_version']}"
    packages = [before.get("packages", {}), after.get("packages", {})]
    names = [name for name in sorted(packages[0] | packages[1]) if packages[0].get(name) != packages[1].get(name)]
    if names:
        changes = (f"{name} {packages[0].get(name, 'none')} to {packages[1].get(name, 'none')}" for name in names)
        yield "packages", "; ".join(changes)


def _batches(inputs: list[dict[str, Any]]) -> str:
    kinds: dict[str, int] = {}
    for one in inputs:
        kinds[one["kind"]] = kinds.get(one["kind"], 0) + 1
    return ", ".join(f"{n} file{'s' if n != 1 else ''} of {kind}" for kind, n in sorted(kinds.items()))
