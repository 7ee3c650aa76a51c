"""What must hold across the pathway definitions of a pack and its overlays, once they are laid over each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tariff.errors import Fault, did_you_mean
from tariff.rulepack.folders import PATHWAYS_FILE, Folder
from tariff.rulepack.pathway_model import AnchoredEpisode
from tariff.rulepack.toml_lines import line_of

if TYPE_CHECKING:
    from tariff.rulepack.pack import RulePack


def pathway_faults(pack: RulePack, folders: Sequence[Folder[Any]]) -> Iterator[Fault]:
    """Pathways that a definition yields to or stands alongside and that neither the pack nor an overlay defines. With a file that
    cannot be read nothing is held against others: the pathway may be what is wrong in it."""
    unread = any(folder.pathways is None and (folder.path / PATHWAYS_FILE).is_file() for folder in folders)
    if pack.pathways is None or unread:
        return
    known = [pathway.name for pathway in pack.pathways.pathway]
    for pathway in pack.pathways.pathway:
        for key in ("yields_to", "alongside") if isinstance(pathway, AnchoredEpisode) else ():
            for other in getattr(pathway, key):
                if other not in known:
                    what = f"pathway '{pathway.name}': {key} names '{other}', which is no pathway here"
                    remedy = f"{did_you_mean(other, known)} define it, or take the name out; there are {', '.join(known)}".strip()
                    yield Fault(_where(folders, pathway.name, key), what, remedy)


def _where(folders: Sequence[Folder[Any]], name: str, key: str) -> str:
    """File and line of a key of the definition in force: that of the last folder that has the pathway."""
    stated = (
        (folder.path / PATHWAYS_FILE, [its.name for its in folder.pathways.pathway]) for folder in folders if folder.pathways
    )
    path, names = [(path, names) for path, names in stated if name in names][-1]
    return f"{path}:{line_of(path.read_text(encoding='utf-8-sig'), ['pathway', names.index(name), key])}"
