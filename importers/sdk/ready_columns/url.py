"""The column of addresses of web pages."""

from __future__ import annotations

from importers.sdk.cells.web_address import read_url
from importers.sdk.columns import Column


class Url(Column[str]):
    """The address of a web page, with `https://` or `http://`; the value is the address in ASCII,
    its host in small letters.

    A host may have letters of any language. Addresses with a user's name or password fail. Caseroll
    does not open the page.

    Example:
        >>> Url().read("HTTPS://Bücher.example/Neu?seite=1")
        'https://xn--bcher-kva.example/Neu?seite=1'
    """

    _specimen_cells = ("https://example.org/a", "https://EXAMPLE.org:443/a", "http://example.org")

    def parse(self, text: str) -> str:
        """Check the address."""
        return read_url(text)
