"""The column of addresses of web pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.sdk.cells.web_address import read_url
from importers.sdk.columns import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.sdk.entities import Case, User


class Url(Column[str]):
    """The address of a web page, with `https://` or `http://`; the value is the address in ASCII,
    its host in small letters.

    A host may have letters of any language. Addresses with a user's name or password fail. Caseroll
    does not open the page.

    Example:
        >>> Url().read("HTTPS://Bücher.example/Neu?seite=1")
        'https://xn--bcher-kva.example/Neu?seite=1'
    """

    def parse(self, text: str) -> str:
        """Check the address."""
        return read_url(text)

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        return ("https://example.org/a", "https://EXAMPLE.org:443/a", "http://example.org")
