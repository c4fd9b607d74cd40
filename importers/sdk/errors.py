"""Errors in three families: do not start, write it on the row, stop the run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Params: TypeAlias = Mapping[str, str | int]
"""What stands in a message for the names in braces of its template."""

# PostgreSQL can't store NUL and lone surrogates in a text.
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", re.ASCII)
_TEXT_OR_NONE = (str, type(None))
# A page of rows would not fit into an answer otherwise.
_LONGEST_MESSAGE = 2_000
_LONGEST_PARAM = 1_000
# As a cell may have: a suggestion that is cut would be a wrong one.
_LONGEST_SUGGESTION = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetail:
    """One error of a file or a row, in the shape that clients see.

    Args:
        code: stable, upper-case name of the kind of error, e.g. `CASE_CLOSED`.
        message: a sentence for the admin; begins with the column's label if there is a column.
        column: the column's name; None for an error of the whole row or file.
        value: the cell at fault, shortened to 100 characters.
        suggestion: the value that the admin probably meant.
        params: what the message is made of beside the suggestion, for other languages.
    """

    code: str
    message: str
    column: str | None = None
    value: str | None = None
    suggestion: str | None = None
    # They are in the message, and a mapping has no hash.
    params: Params = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        code: str,
        template: str,
        *,
        column: str | None = None,
        value: str | None = None,
        suggestion: str | None = None,
        **params: str | int,
    ) -> ErrorDetail:
        """Describe an error by the template of its message, with a name in braces for each param.

        Example:
            >>> ErrorDetail.of("TOO_LARGE", "{size:,} bytes are too many.", size=7000).message
            '7,000 bytes are too many.'
        """
        shown = printable_params(params)
        return cls(
            code=code,
            message=fill(template, shown, suggestion),
            column=column,
            value=value,
            suggestion=suggestion,
            params=shown,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as they are stored: params only if there are any."""
        # `asdict` copies each value, which takes forty times as long.
        fields: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "column": self.column,
            "value": self.value,
            "suggestion": self.suggestion,
        }
        if self.params:
            fields["params"] = self.params
        return fields


class CaserollError(Exception):
    """Root of every error that Caseroll raises on purpose."""


class ConfigError(CaserollError):
    """Do not start: the settings or the plugins are wrong.

    Args:
        problems: every problem found, one sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class RowError(CaserollError):
    """An error of one row: the row fails with it, and the import goes on.

    `Importer.change`, `Column.parse` and `Validator.check` raise it; `Importer.check_chunk`,
    `Reference.unknown` and `Refused` return it.

    Args:
        column: name of the column at fault, or None for the whole row. `Column.parse` gives None,
            since the engine knows the column; a validator gives the name of the change's field.
        code: stable name of the kind of error, in capitals and digits, as in `SEAT_TAKEN`.
        message: what is wrong and what to do, in one sentence. If there is a column, the engine
            puts its label before the message, so begin in lower case. With `params` it is a
            template, with a name in braces for each of them; without, it is taken as it is. It is
            cut after 2,000 characters, a param after 1,000.
        suggestion: the value that the cell should probably have; `{suggestion}` in a template.
        params: what the message is made of, texts and whole numbers by name. Clients that speak
            another language make their own message of the code and these.

    Example:
        >>> raise RowError("seat", "SEAT_TAKEN", "seat {seat} is taken.", seat=12)
        Traceback (most recent call last):
        ...
        importers.sdk.errors.RowError: seat 12 is taken.
    """

    def __init__(
        self,
        column: str | None,
        code: str,
        message: str,
        suggestion: str | None = None,
        **params: str | int,
    ) -> None:
        # Here the traceback names the plugin's line; later, writing the results of the whole chunk
        # would fail.
        if not (
            isinstance(code, str)
            and isinstance(message, str)
            and isinstance(column, _TEXT_OR_NONE)
            and isinstance(suggestion, _TEXT_OR_NONE)
        ):
            given = (column, code, message, suggestion)
            raise TypeError(f"RowError takes texts, not {given!r:.200}")
        if not _is_code(code):
            raise ValueError(f"the code of a RowError is like SEAT_TAKEN, not {code!r:.80}")
        # One pass, as there may be an error for each row of a file; the dict is this call's own.
        for name, each in params.items():
            if isinstance(each, str):
                params[name] = shorten(each, _LONGEST_PARAM)
            elif not isinstance(each, int):
                fault = f"are texts and whole numbers, not {params!r:.200}"
                raise TypeError(f"params of RowError {fault}")
        self.column = column and storable(column)
        self.code = storable(code)
        self.params: Params = params
        self.message = storable_message(fill(message, self.params, suggestion))
        if suggestion and len(suggestion) > _LONGEST_SUGGESTION:
            suggestion = None
        self.suggestion = suggestion and storable(suggestion)
        super().__init__(self.message)


class RunError(CaserollError):
    """Stop this run."""


class RetryableError(RunError):
    """Stop this run; the same run may work later (a deadlock, a lost connection)."""


class FileRefusedError(RunError):
    """The file can't be imported; nothing of it is applied.

    Args:
        errors: every reason, in the order in which an admin should correct them.
    """

    def __init__(self, errors: Iterable[ErrorDetail]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(error.message for error in self.errors))


class FileError(FileRefusedError):
    """An error of a whole file: nothing of it is applied. `Reader.rows` raises it.

    Args:
        code: stable name of the kind of error, in capitals and digits, as in `NOT_JSON`.
        message: what is wrong, where, and what to do, in whole sentences. With `params` it is a
            template, with a name in braces for each of them; without, it is taken as it is.
        params: what the message is made of, texts and whole numbers by name.

    Example:
        >>> raise FileError("NOT_JSON", "Line {line} is no JSON. Write it again.", line=3)
        Traceback (most recent call last):
        ...
        importers.sdk.errors.FileError: Line 3 is no JSON. Write it again.
    """

    def __init__(self, code: str, message: str, **params: Any) -> None:
        if not (isinstance(code, str) and isinstance(message, str)):
            raise TypeError(f"FileError takes texts, not {(code, message)!r:.200}")
        if not _is_code(code):
            raise ValueError(f"the code of a FileError is like NOT_JSON, not {code!r:.80}")
        if not all(isinstance(each, str | int) for each in params.values()):
            raise TypeError(f"params of FileError are texts and whole numbers, not {params!r:.200}")
        for name, each in params.items():
            params[name] = each if isinstance(each, int) else shorten(each, _LONGEST_PARAM)
        super().__init__([ErrorDetail.of(code, storable_message(message), **params)])


@lru_cache(1024)
def _is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


def fill(template: str, params: Params, suggestion: str | None = None) -> str:
    """Make a message of its template; one without params is taken as it is, braces and all."""
    return template.format_map({**params, "suggestion": suggestion}) if params else template


def alternatives(name: str, texts: Sequence[str], form: str = "'{}'") -> tuple[str, dict[str, str]]:
    """Return the part of a template that names one text or another, and its params.

    Example:
        >>> alternatives("tag", ["trv-001", "trv-002"])
        ("'{tag_1}' or '{tag_2}'", {'tag_1': 'trv-001', 'tag_2': 'trv-002'})
    """
    params = {f"{name}_{number}": text for number, text in enumerate(texts, 1)}
    return " or ".join(form.format(f"{{{each}}}") for each in params), params


def printable_params(params: Params) -> Params:
    return {
        name: each if isinstance(each, int) or each.isprintable() else printable(each)
        for name, each in params.items()
    }


def storable(text: str) -> str:
    """Return the text with U+FFFD in place of each character that PostgreSQL can't store."""
    if text.isascii() and "\0" not in text:  # nearly all, of as many errors as a file has rows
        return text
    return _NOT_STORABLE.sub("\ufffd", text)


def storable_message(text: str) -> str:
    """Return a message that a plugin has made as it is stored: storable, and cut where it ends."""
    return storable(text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…")


def printable(text: str) -> str:
    """Return the text with the number of each character that has no shape in the place of it.

    Example:
        >>> printable("jo\u200b@example.org")
        'jo[U+200B]@example.org'
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else f"[U+{ord(letter):04X}]" for letter in text)


def shorten(text: str, longest: int = 100) -> str:
    """Cut a cell that a message quotes, and make it printable."""
    return printable(text if len(text) <= longest else f"{text[: longest - 1]}…")
