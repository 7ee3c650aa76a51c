"""Digests of tables and packs, the same on every machine: line ends are read as LF, whatever the checkout made of them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path


def with_lf(raw: bytes) -> bytes:
    """The bytes with CRLF line ends turned to LF."""
    return raw.replace(b"\r\n", b"\n")


def table_digest(path: Path) -> str:
    """sha256 of one table with LF line ends, as `sources.csv` records it."""
    return sha256(with_lf(path.read_bytes())).hexdigest()


def folder_digest(folder: Path) -> str:
    """sha256 of a pack or overlay: the name and contents of each of its .toml and .csv files, in order of name."""
    digest = sha256()
    for path in sorted(pack_files(folder), key=lambda path: path.name):
        contents = with_lf(path.read_bytes())
        digest.update(f"{path.name}\n{len(contents)}\n".encode())
        digest.update(contents)
    return digest.hexdigest()


def pack_files(folder: Path) -> list[Path]:
    """The files of `folder` that are part of the pack: .toml and .csv."""
    return [path for path in folder.iterdir() if path.suffix in {".toml", ".csv"} and path.is_file()]
