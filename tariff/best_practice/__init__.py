"""Best-practice tariffs beyond the price of a line: evidence and provider gates, achievement, the budget test, and the adjustment
under the aligned payment model (RULES 3, 5.8)."""
