"""A plugin's settings: what plugins.toml says, checked against the plugin's dataclass."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from importers.sdk.errors import ConfigError


def fill_settings(settings_class: type | None, table: Mapping[str, Any]) -> Any:
    """Build a plugin's settings from its table.

    Args:
        settings_class: a dataclass; None for a plugin without settings. Fields may be of the types
            that TOML has, of lists and tables of these, of `Literal` and of unions.

    Raises:
        ConfigError: with every setting that is unknown, missing or of another type.
        Exception: what the class itself raises.
    """
    if settings_class is None:
        if table:
            raise ConfigError([f"it has no settings, but the table sets {', '.join(table)}"])
        return None
    if not dataclasses.is_dataclass(settings_class):
        raise ConfigError(["its Settings is not a dataclass"])
    fields = {field.name: field for field in dataclasses.fields(settings_class) if field.init}
    hints = _resolved_types(settings_class)
    problems = [f"there is no setting '{key}'" for key in table if key not in fields]
    problems += [
        f"the setting '{key}' must be {_type_name(hints[key])}, not {_with_type(value)}"
        for key, value in table.items()
        if key in fields and not _is_of_type(value, hints[key])
    ]
    problems += [
        f"the setting '{name}' is missing"
        for name, field in fields.items()
        if name not in table
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if problems:
        raise ConfigError(problems)
    return settings_class(**table)


def _resolved_types(settings_class: type) -> dict[str, Any]:
    try:
        return get_type_hints(settings_class)
    except NameError as error:
        raise ConfigError(
            [f"the types of its Settings can't be read: {error}; import it at run time as well"]
        ) from error


def _is_of_type(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_is_of_type(value, each) for each in arguments)
    if origin is Literal:
        return any(type(value) is type(each) and value == each for each in arguments)
    if origin in (list, Sequence):
        return isinstance(value, list) and all(_is_of_type(each, arguments[0]) for each in value)
    if origin in (dict, Mapping):
        return isinstance(value, dict) and all(
            _is_of_type(each, arguments[1]) for each in value.values()
        )
    # Not `isinstance`: True is an int to Python, and no number in TOML. But 1 is a fine float
    # there.
    return hint is Any or type(value) is hint or (hint is float and type(value) is int)


def _type_name(hint: Any) -> str:
    """Name a type for an operator, who edits TOML and knows no Python."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_name(each) for each in arguments if each is not type(None))
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if origin in (list, Sequence):
        return f"a list of {_type_name(arguments[0])}"
    if origin in (dict, Mapping):
        return f"a table of {_type_name(arguments[1])}"
    return str(getattr(hint, "__name__", hint))


def _with_type(value: Any) -> str:
    """Write a value with its type; lists and tables, whose type says little, without it."""
    if isinstance(value, list | dict):
        return f"{value!r:.80}"
    return f"{type(value).__name__} {value!r:.80}"
