"""Importing official price workbooks as rule packs: sheets and columns by meaning, every cell as text, nothing guessed."""

from tariff.rulepack.importing.workbook import ImportedPack, Publication, import_workbook

__all__ = ["ImportedPack", "Publication", "import_workbook"]
