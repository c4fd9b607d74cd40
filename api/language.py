"""The language of a request: chosen by what its client accepts, and kept while it is answered."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from importers.language.catalogue import ENGLISH, LANGUAGES
from importers.language.translator import IN_ENGLISH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from importers.language.translator import Translator

# A task for each request, so each has a value of its own; tasks that it begins inherit it.
_translator: ContextVar[Translator] = ContextVar("translator", default=IN_ENGLISH)


def translator() -> Translator:
    """Return what says the texts of the request that is being answered."""
    return _translator.get()


def answer_in(language: str, translators: Mapping[str, Translator]) -> None:
    """Answer the present request in a language."""
    _translator.set(translators[language])


def choose_language(accepted: str) -> str:
    """Return the language that a client likes best of those that there are, else English.

    Args:
        accepted: an Accept-Language header (RFC 9110), such as `es-MX, es;q=0.9, *;q=0.1`.

    Example:
        >>> choose_language("fr, es-MX;q=0.8, en;q=0.5")
        'es'
    """
    # Sorting keeps the order of those that are liked as much.
    ranges = sorted(map(_read_range, accepted.split(",")), key=lambda each: -each[1])
    for tag, quality in ranges:
        code = tag.partition("-")[0]
        if quality > 0 and code in LANGUAGES:
            return code
    return ENGLISH


def _read_range(text: str) -> tuple[str, float]:
    """Read one of the languages that are accepted, and how much it is liked, 0 to 1."""
    tag, *parameters = (part.strip().lower() for part in text.split(";"))
    for each in parameters:
        if each.startswith("q="):
            try:
                return tag, float(each[2:])
            except ValueError:
                return tag, 0.0
    return tag, 1.0


class LanguageMiddleware:
    """Chooses the language of each request before it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            accepted = [value for name, value in scope["headers"] if name == b"accept-language"]
            language = choose_language(b",".join(accepted).decode("latin-1"))
            answer_in(language, scope["app"].state.services.registry.translators)
        await self._app(scope, receive, send)
