"""What each payment model would make commissioners pay, as a page, as tables and on the terminal."""

from tariff.report.report import Report, compare

__all__ = ["Report", "compare"]
