"""Compiled arithmetic: scalar rule functions named as the field names them, and the loops that call them in the order of
RULES 1.8. Everything here takes and returns arrays of fixed width without nulls. `tariff.compiled` says how it is compiled."""
