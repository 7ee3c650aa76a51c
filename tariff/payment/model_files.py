"""Loading payment models from files and from the presets shipped with the engine. Every fault of every file is told at
once, by file and line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from tariff.errors import Fault, RulesError, did_you_mean
from tariff.payment.cost_and_volume import Tier
from tariff.payment.models import TERMS, Model, Models, ModelsFile, ModelsOrigin
from tariff.payment.scope import Scope
from tariff.rulepack.digests import with_lf
from tariff.rulepack.model import CONFIDENCES
from tariff.rulepack.toml_lines import line_of

PRESET: Final = "preset:"
_PARAMETER: Final = re.compile(r":(?=[\w.]*=|\w+$)")
"""Before a parameter of a preset; a colon within a value, as of a drive, is none."""
_LINE_OF_TOML_ERROR: Final = re.compile(r"\(at line (?P<line>\d+)")
_REMEDIES: Final = {
    "confidence": f"state how sure the figures are: {', '.join(CONFIDENCES)}",
    "source": "say where the term and its figures come from",
    "marginal_rate": 'give the share of the price that is paid beyond the plan, such as "70%"',
    "rate": 'give the share, such as "2.5%"',
    "variable_share": 'give the share of the difference from plan that is paid, such as "20%"',
    "against": 'write against = "plan", or the name of a file in the form of a plan',
    "population": "name a CSV file: commissioner, registered, and where it has them financial_year, gp_practice, age_band",
    "per_head": "give the pounds a head and year",
    "prices": "name a CSV file: price, and what it is for (commissioner, provider, pod, treatment_function, currency)",
    "results": "name a CSV file: provider, measure, weight, result, benchmark, better",
    "tiers": 'give tables in a list: tiers = [{ above = "5%", rate = "50%" }]',
    "scope": 'give a table such as { pods = ["NEL"] }, or the name of a scope',
    "without": 'give scopes in a list: without = [{ hrgs = ["NZ"] }]',
    "months": "give numbers in a list: months = [1, 2]; 1 is April",
    "terms": "begin each term with [[model.terms]]",
    "schema": "write schema = 1 at the top of the file",
    "model": "add a [[model]] with a name and a title",
}

_TAKES: Final = {
    "tuple_type": ("a list", 'put it in square brackets, such as {key} = ["..."]'),
    "list_type": ("a list", 'put it in square brackets, such as {key} = ["..."]'),
    "model_type": ("tables", "put its keys in braces, such as {{ KEY = VALUE }}"),
    "model_attributes_type": ("tables", "put its keys in braces, such as {{ KEY = VALUE }}"),
    "dict_type": ("tables", "put its keys in braces, such as {{ KEY = VALUE }}"),
    "string_type": ("text", 'put it in quotation marks, such as "..."'),
    "int_type": ("whole numbers", "give it without quotation marks and decimals"),
    "bool_type": ("true or false", "write it without quotation marks"),
}
"""What a key takes, in words, by the validator's name for a value of another type, and how to write it."""


class _Text(NamedTuple):
    """The text of one file or preset and how to call it. `given` are parameters of a preset; `folder` is where the files that
    its terms name are looked for."""

    name: str
    text: str
    given: dict[str, str]
    folder: Path


def shipped_presets() -> list[str]:
    """The names of the presets shipped with the engine."""
    return sorted(entry.name.removesuffix(".toml") for entry in _presets().iterdir() if entry.name.endswith(".toml"))


def preset_text(name: str) -> str:
    """The text of a shipped preset."""
    return with_lf((_presets() / f"{name}.toml").read_bytes()).decode()


def load_models(spec: str | Path | Sequence[str | Path], folder: Path = Path()) -> Models:
    """Payment models from models files and presets.

    `spec` is a path, `preset:NAME`, a list of them, or one text with commas between. A preset takes parameters, as in
    `preset:cost-and-volume:marginal_rate=50%:unplanned=tariff`; a parameter is labelled a local agreement. The order given
    is kept: the first model is the baseline of a comparison. Files that parameters of presets name are looked for in `folder`,
    those of a models file beside it. RulesError lists every fault by file and line."""
    sources = _split(spec)
    if not sources:
        raise RulesError("no payment models are given", [Fault("", "the list is empty", _presets_known())])
    faults: list[Fault] = []
    models: list[Model] = []
    origins: list[ModelsOrigin] = []
    for source in sources:
        read = _read(source, folder, faults)
        if read is not None:
            found = _parse(read, faults)
            models += found
            origins.append(ModelsOrigin(source, sha256(read.text.encode()).hexdigest()))
            named = dict.fromkeys(file for model in found for file in model.files)
            origins += [ModelsOrigin(str(file), file.digest) for file in named]
    faults += [
        Fault(", ".join(sources), f"{count} models are called '{name}'", "give each model a name of its own")
        for name, count in Counter(model.name for model in models).items()
        if count > 1
    ]
    if faults:
        raise RulesError(f"the payment models cannot be used: {_counted(len(faults), 'fault')}", faults)
    return Models(tuple(models), tuple(origins))


def _split(spec: str | Path | Sequence[str | Path]) -> list[str]:
    parts = [spec] if isinstance(spec, str | Path) else list(spec)
    return [piece.strip() for part in parts for piece in str(part).split(",") if piece.strip()]


def _read(source: str, folder: Path, faults: list[Fault]) -> _Text | None:
    if source.startswith(PRESET):
        return _read_preset(source, folder, faults)
    path = Path(source)
    try:
        return _Text(source, with_lf(path.read_bytes()).decode("utf-8-sig"), {}, path.parent)
    except UnicodeDecodeError as error:
        faults.append(Fault(source, f"byte {error.start} is not UTF-8", "save the file as UTF-8"))
    except OSError as error:
        remedy = f"did you mean '{PRESET}{source}'?" if source in shipped_presets() else _presets_known()
        faults.append(Fault(source, f"the models file cannot be read: {error.strerror}", remedy))
    return None


def _read_preset(source: str, folder: Path, faults: list[Fault]) -> _Text | None:
    name, *parameters = _PARAMETER.split(source.removeprefix(PRESET))
    if name not in shipped_presets():
        remedy = f"{did_you_mean(name, shipped_presets())} {_presets_known()}".strip()
        faults.append(Fault(source, f"there is no preset '{name}'", remedy))
        return None
    given: dict[str, str] = {}
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        if not equals:
            faults.append(Fault(source, f"'{parameter}' is not a parameter", f"write {PRESET}{name}:marginal_rate=50%"))
            return None
        given[key.strip()] = value.strip()
    return _Text(source, preset_text(name), given, folder)


def _parse(read: _Text, faults: list[Fault]) -> list[Model]:
    try:
        written = tomllib.loads(read.text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        found = _LINE_OF_TOML_ERROR.search(str(error))
        faults.append(Fault(f"{read.name}:{found['line']}" if found else read.name, f"not TOML: {error}", "mend the line"))
        return []
    for key, value in read.given.items():
        if not _give(written, key, value):
            known = _parameters(written)
            takes = f"{did_you_mean(key, known)} it takes {', '.join(known) or 'none'}".strip()
            faults.append(Fault(read.name, f"the preset has no parameter '{key}'", takes))
            return []
    try:
        models = ModelsFile.model_validate(written, context={"folder": read.folder}).model
    except ValidationError as error:
        problems = error.errors(include_url=False)
        faults += [_fault(read, written, problem) for problem in problems if not _is_one_of_two_ways(problem)]
        return []
    if read.name.startswith(PRESET):
        return list(models)
    return [model.placed(_places(read, number, model)) for number, model in enumerate(models)]


def _places(read: _Text, number: int, model: Model) -> list[str]:
    """Where a model and each of its terms stand in their file."""
    terms = [("model", number, "terms", place, "term") for place in range(len(model.terms))]
    return [f"{read.name}:{line_of(read.text, location)}" for location in (("model", number, "name"), *terms)]


def _terms(written: dict[str, Any]) -> list[dict[str, Any]]:
    return [term for model in written["model"] for term in model.get("terms", ())]


def _parameters(written: dict[str, Any]) -> list[str]:
    """The parameters that the terms of a preset take, in order."""
    kinds = [TERMS[term["term"]] for term in _terms(written)]
    return list(dict.fromkeys(name for kind in kinds for name in (*kind.figures, *kind.choices)))


def _give(written: dict[str, Any], key: str, value: str) -> bool:
    """Put a parameter into every term that takes it, or into one kind as `term.key`; a figure is then the run's own, and says
    so. A choice says nothing new about where figures come from."""
    kind, dot, name = key.rpartition(".")
    taking = [
        term
        for term in _terms(written)
        if name in (*TERMS[term["term"]].figures, *TERMS[term["term"]].choices) and (not dot or term["term"] == kind)
    ]
    figured = [term for term in taking if name in TERMS[term["term"]].figures]
    for term in taking:
        term[name] = value
    for term in figured:
        term.update(confidence="local", source="given with the run")
    if figured and len(_terms(written)) == len(figured):
        for model in written["model"]:
            model["note"] = ""
    return bool(taking)


def _fault(read: _Text, written: dict[str, Any], problem: Any) -> Fault:
    """One fault of the validator in the words of the field, with the line it stands on."""
    location = _without_tags(problem["loc"])
    where = read.name if read.given or read.name.startswith(PRESET) else f"{read.name}:{line_of(read.text, location)}"
    place, key = _place(written, location[:-1]), str(location[-1]) if location else ""
    kind = problem["type"]
    if kind == "missing":
        given = f"give it as {read.name}:{key}=..." if read.name.startswith(PRESET) else ""
        return Fault(where, f"{place}'{key}' is missing", "; ".join(filter(None, [given, _REMEDIES.get(key, f"add '{key}'")])))
    if kind == "extra_forbidden":
        known = _known_keys(problem["loc"])
        return Fault(where, f"{place}'{key}' is not known here", f"{did_you_mean(key, known)} known: {', '.join(known)}".strip())
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return _unknown_term(read, location, _place(written, location), problem["input"])
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", problem["ctx"]["expected"]) or [problem["ctx"]["expected"]]
        value = str(problem["input"])
        remedy = f"{did_you_mean(value, known)} known: {', '.join(known)}".strip()
        return Fault(where, f"{place}{key} '{value}' is not known", remedy)
    if kind == "string_pattern_mismatch":
        return Fault(where, f"{place}{key} '{problem['input']}' is not a name", "use a-z, 0-9 and single hyphens")
    if kind in _TAKES:
        takes, remedy = _TAKES[kind]
        at = max(number for number, step in enumerate(location) if isinstance(step, str))
        told = f"{_place(written, location[:at])}{location[at]} takes {takes}, not {problem['input']!r}"
        return Fault(where, told, _REMEDIES.get(location[at], remedy.format(key=location[at])))
    told = problem["msg"].removeprefix("Value error, ")
    takes = f"it takes {', '.join(_parameters(written))}: {read.name}:NAME=VALUE" if read.name.startswith(PRESET) else ""
    return Fault(where, f"{_place(written, location)}{told}", _REMEDIES.get(key, takes))


def _unknown_term(read: _Text, location: list[Any], place: str, given: Any) -> Fault:
    known = list(TERMS)
    term = given.get("term") if isinstance(given, dict) else None
    where = f"{read.name}:{line_of(read.text, [*location, 'term'])}"
    if term is None:
        return Fault(where, f"{place}'term' is missing", f"known: {', '.join(known)}")
    nearest = did_you_mean(str(term), known)
    return Fault(where, f"{place}the term '{term}' is not known", f"{nearest} known: {', '.join(known)}".strip())


def _tag_at(location: Sequence[Any], number: int) -> bool:
    """Whether a step of a validator's location is the kind of a term, which the file writes as a key's value."""
    return number > 1 and location[number - 2] == "terms" and location[number] in TERMS


def _is_way(step: Any) -> bool:
    """Whether a step of a validator's location names one of the ways in which a key may be written, such as `tuple[str, ...]`."""
    return isinstance(step, str) and "[" in step


def _is_one_of_two_ways(problem: Any) -> bool:
    """Whether a fault only says that a key is not the word it may also be; the other way's fault says what else it takes."""
    return problem["type"] == "literal_error" and _is_way(problem["loc"][-1])


def _without_tags(location: Sequence[Any]) -> list[Any]:
    return [step for number, step in enumerate(location) if not (_tag_at(location, number) or _is_way(step))]


def _known_keys(location: Sequence[Any]) -> list[str]:
    """The keys that may stand where an unknown one does."""
    owner: Any = Model if location and location[0] == "model" and len(location) > 1 else ModelsFile
    for number, step in enumerate(location[:-1]):
        if _tag_at(location, number):
            owner = TERMS[step]
        elif step == "tiers":
            owner = Tier
        elif step == "without" or (number > 2 and step in _scopes_of(owner)):
            owner = Scope
    return [field.alias or name for name, field in owner.model_fields.items()]


def _scopes_of(owner: Any) -> list[str]:
    return [name for name, field in owner.model_fields.items() if field.annotation is Scope]


def _place(written: dict[str, Any], location: Sequence[Any]) -> str:
    """The model (and term) a fault is in, by name: `model 'block', term 1: `."""
    if len(location) < 2 or location[0] != "model":
        return f"'{location[0]}': " if location else ""
    model = written["model"][location[1]]
    name = model.get("name", location[1] + 1) if isinstance(model, dict) else location[1] + 1
    term = f", term {location[3] + 1}" if len(location) > 3 and location[2] == "terms" else ""
    key = location[-1] if isinstance(location[-1], str) and location[-1] not in {"model", "terms"} else ""
    return f"model '{name}'{term}: " + (f"{key}: " if key else "")


def _presets() -> Any:
    return files("tariff.payment") / "presets"


def _presets_known() -> str:
    return f"give a models file or one of: {', '.join(PRESET + name for name in shipped_presets())}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
