"""Reading `pack.toml` and `overlay.toml`: what is wrong with them is told by file and line, all at once, in the words of the
field rather than of the validator."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from tariff.errors import Fault, did_you_mean
from tariff.rulepack.model import CONFIDENCES, Strict
from tariff.rulepack.toml_lines import line_of

Model = TypeVar("Model", bound=Strict)
Location = tuple[int | str, ...]

_LINE_OF_TOML_ERROR: Final = re.compile(r"\(at line (?P<line>\d+), column \d+\)")
_GUIDE: Final = "rules/README.md says what it may be"
_REMEDIES: Final = {
    "confidence": f"state how sure the figures are: {', '.join(CONFIDENCES)}",
    "source": "say where the rule and its values come from",
}


def read_declarations(path: Path, model: type[Model], guide: str = _GUIDE) -> tuple[Model | None, list[Fault]]:
    """The file as `model`, or every fault in it; `guide` says where a reader finds what a key may hold."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        written = tomllib.loads(text)
    except UnicodeDecodeError as error:
        return None, [Fault(str(path), f"byte {error.start} is not UTF-8", "save the file as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        found = _LINE_OF_TOML_ERROR.search(str(error))
        return None, [Fault(f"{path}:{found['line']}" if found else str(path), f"not TOML: {error}", "mend the line")]
    try:
        return model.model_validate(written), []
    except ValidationError as error:
        return None, [_fault(path, text, model, problem, guide) for problem in error.errors(include_url=False)]


def _fault(path: Path, text: str, model: type[BaseModel], problem: Any, guide: str) -> Fault:
    location: Location = problem["loc"]
    written, owner = _written_location(model, location)
    where = f"{path}:{line_of(text, written)}"
    keys = [step for step in written if isinstance(step, str)]
    *parents, key = keys or [""]
    place = f"[{'.'.join(parents)}] " if parents else ""
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "missing":
        what = f"{place}'{key}' is missing"
        return Fault(where, what, _REMEDIES.get(key, f"add '{key}'; {guide}"))
    if kind == "extra_forbidden":
        return Fault(where, f"{place}'{key}' is not known here", _choices(key, owner))
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        method = value.get("method") if isinstance(value, dict) else None
        line = line_of(text, [*written, "method"])
        return _unknown_choice(f"{path}:{line}", f"[{'.'.join(keys)}] ", "method", method, _methods(owner, key))
    if kind == "literal_error":
        return _unknown_choice(where, place, key, value, re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]])
    told = problem["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(value, dict) else f" (found {value!r})"
    named = f"'{key}': " if key else ""
    return Fault(where, f"{place}{named}{told}{shown}", f"mend the value; {guide}")


def _unknown_choice(where: str, place: str, key: str, value: object, known: list[str]) -> Fault:
    if value is None:
        return Fault(where, f"{place}'{key}' is missing", f"known: {', '.join(known)}")
    nearest = did_you_mean(str(value), known)
    return Fault(where, f"{place}{key} '{value}' is not known", f"{nearest} known: {', '.join(known)}".strip())


def _choices(key: str, owner: type[BaseModel] | None) -> str:
    if owner is None:
        return "take it out"
    known = [field.alias or name for name, field in owner.model_fields.items()]
    return f"{did_you_mean(key, known)} known: {', '.join(known)}".strip()


def _written_location(model: type[BaseModel], location: Location) -> tuple[list[int | str], type[BaseModel] | None]:
    """The keys as written in the file, with places in lists (without the method tags pydantic puts in), and the model that owns
    the last key."""
    written: list[int | str] = []
    owner: type[BaseModel] | None = model
    for step in location:
        if isinstance(step, int):
            written.append(step)
            continue
        above = [name for name in written if isinstance(name, str)]
        variants = _models_below(owner, above[-1]) if owner is not None and above else []
        tagged = [variant for variant in variants if _method_of(variant) == step]
        if tagged and step not in (owner.model_fields if owner else {}):
            owner = tagged[0]
            continue
        if variants:
            owner = variants[0]
        written.append(step)
    return written, owner


def _models_below(owner: type[BaseModel], key: str) -> list[type[BaseModel]]:
    fields = {field.alias or name: field for name, field in owner.model_fields.items()}
    return list(_models_in(fields[key].annotation)) if key in fields else []


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _methods(owner: type[BaseModel] | None, rule: str) -> list[str]:
    return [method for model in (_models_below(owner, rule) if owner else []) if (method := _method_of(model))]


def _method_of(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("method")
    tags = get_args(field.annotation) if field else ()
    return tags[0] if len(tags) == 1 else None
