"""Pathways paid as a whole, and emergency readmissions: sweeps over each patient's lines of care."""
