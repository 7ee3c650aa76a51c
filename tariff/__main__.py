"""`python -m tariff`, where scripts cannot be put on the path."""

from tariff.cli import main

main()
