"""Tables of a release in the formats of other programs, with what their columns mean."""

from outcomes.operate.exporting.export import Exported, ExportFormat, export_release

__all__ = ["ExportFormat", "Exported", "export_release"]
