"""Which models a study asks for: its own, or the defaults of a new study."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

from outcomes.study.settings import ModelSpec, StudySettings

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def declared_specs(settings: StudySettings) -> tuple[ModelSpec, ...]:
    """Return the study's models; where it declares none, those of the template that new studies start from."""
    if settings.models:
        return settings.models
    template = (files("outcomes.study") / "template.toml").read_text(encoding="utf-8")
    return tuple(ModelSpec.model_validate(spec) for spec in tomllib.loads(template)["models"])


def columns_read(spec: ModelSpec, available: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of the population that a model reads, its outcome first."""
    named = dict.fromkeys(_NAME.findall(spec.formula))
    return tuple(name for name in named if name in available)


def grouping_columns(spec: ModelSpec) -> tuple[str, ...]:
    """Columns that the model's random terms group by."""
    return tuple(dict.fromkeys(name for term in spec.random for name in _NAME.findall(term.rpartition("|")[2])))
