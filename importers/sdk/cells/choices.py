"""Lists of words that cells choose from: which lists can be used, and what a wrong cell meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from importers.sdk.errors import ConfigError, RowError, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLOSE_ENOUGH = 0.7


def checked_words(words: Sequence[str]) -> Sequence[str]:
    """Return the words that cells may hold.

    Raises:
        ConfigError: there are none, or cells can't hold them, or one is there twice.
    """
    if not words:
        raise ConfigError(["the list of choices is empty: name one at least"])
    problems = [fault for word in dict.fromkeys(words) if (fault := _word_problem(word))]
    problems += [
        f"the choice {word!r:.80} is there twice"
        for place, word in enumerate(words)
        if word in words[:place]
    ]
    if problems:
        raise ConfigError(problems)
    return tuple(words)


def listed_words(value: Any) -> Sequence[str]:
    """Return the words of a setting that is a list.

    Raises:
        ConfigError: it is none, or no column can choose from it.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ConfigError([f"it must be a list of texts, not {value!r:.80}"])
    return checked_words(value)


def mapped_words(value: Any) -> Mapping[str, str]:
    """Return the words of a setting that is a table, and what each stands for.

    Raises:
        ConfigError: it is none, or no column can choose from it.
    """
    texts = [*value, *value.values()] if isinstance(value, Mapping) else [None]
    if not all(isinstance(each, str) for each in texts):
        raise ConfigError([f"it must be a table of texts, not {value!r:.80}"])
    checked_words(list(value))
    return dict(value)


def _word_problem(word: object) -> str | None:
    if not isinstance(word, str):
        return f"the choice {word!r:.80} is no text"
    if not word or word != word.strip() or not word.isprintable():
        return f"the choice {word!r:.80} is no text that a cell can hold, since cells are trimmed"
    return None


def closest(text: str, choices: Sequence[str]) -> str | None:
    """Return the choice that was probably meant, if one is much like the text."""
    lowered = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(text.lower(), lowered, n=1, cutoff=_CLOSE_ENOUGH)
    return lowered[found[0]] if found else None


def no_choice(text: str, choices: Sequence[str]) -> RowError:
    """Return the error of a cell that is not in a list, with what was probably meant."""
    suggestion = closest(text, choices)
    hint = "did you mean '{suggestion}'?" if suggestion else "use one of {choices}."
    params = {"text": shorten(text), "choices": ", ".join(choices)}
    return RowError(None, "INVALID_CHOICE", "there is no '{text}'; " + hint, suggestion, **params)
