"""Files to canonical activity: readers, column maps, and episodes to spells."""

from tariff.activity.column_map import ColumnMap, load_map, shipped_maps
from tariff.activity.facts import FileFacts, survey
from tariff.activity.files import damage_named
from tariff.activity.reading import read_activity
from tariff.activity.spells import spells_from_episodes

__all__ = [
    "ColumnMap",
    "FileFacts",
    "damage_named",
    "load_map",
    "read_activity",
    "shipped_maps",
    "spells_from_episodes",
    "survey",
]
