"""Files to canonical activity: readers, column maps, episodes to spells, and unbundled items attached to spells."""

from tariff.activity.attached import attached_items, read_attached_items, without_given
from tariff.activity.column_map import ColumnMap, load_map, shipped_maps
from tariff.activity.facts import FileFacts, survey
from tariff.activity.files import damage_named
from tariff.activity.reading import FileGroup, grouped, read_activity
from tariff.activity.spells import spells_from_episodes

__all__ = [
    "ColumnMap",
    "FileFacts",
    "FileGroup",
    "attached_items",
    "damage_named",
    "grouped",
    "load_map",
    "read_activity",
    "read_attached_items",
    "shipped_maps",
    "spells_from_episodes",
    "survey",
    "without_given",
]
