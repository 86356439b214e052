"""The command line: the same flows that schedules run, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.on_demand import on_demand

if TYPE_CHECKING:
    from outcomes.cli.commands import main

__all__ = ["main"]

# The commands are imported when they are asked for: Ctrl-C is heard before (`__main__`).
__getattr__, __dir__ = on_demand(__name__, {"main": ("outcomes.cli.commands", "main")})
