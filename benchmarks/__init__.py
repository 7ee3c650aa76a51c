"""Benchmarks: the engine against peers that price the same spells to the same penny. README.md says what is measured."""
