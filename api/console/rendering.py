"""Pages from templates: Jinja's environment of each language, and the headers of every page."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from jinja2 import PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from api.console.language import Language
from api.console.page_environment import PageEnvironment
from api.console.shown_text import name_case, name_user, shorten_text, show_text
from api.console.static_files import static_version
from importers.language.catalogue import LANGUAGES
from models.audit import COMMAND_LINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from babel.support import NullTranslations
    from jinja2 import Environment
    from starlette.requests import Request
    from starlette.responses import Response

    from api.settings import Settings

# No inline script or style, and nothing from elsewhere: the pages work without a network.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Pages name people.
    "Cache-Control": "private, no-store",
}


def root_of(request: Request) -> str:
    """Return the console's path, as the browser sees it: behind a proxy it may have a prefix."""
    settings: Settings = request.app.state.services.settings
    return f"{settings.root_path}/console"


def render_page(
    request: Request, language: Language, template: str, status: int = 200, **values: Any
) -> Response:
    """Render a template as a page."""
    text = render(language, template, root=root_of(request), request=request, **values)
    return HTMLResponse(text, status, headers=_HEADERS)


def render(language: Language, template: str, *, root: str, **values: Any) -> str:
    """Render a template: a page, or a part of one."""
    return (
        _environment(language.code)
        .get_template(template)
        .render(
            language=language,
            languages=LANGUAGES,
            # In hundreds of links: escaped once.
            root=escape(root),
            static=escape(f"{root}/static/{static_version()}"),
            when=_When(language),
            **values,
        )
    )


@lru_cache(None)
def _environment(code: str) -> Environment:
    environment = PageEnvironment(
        loader=PackageLoader("api.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        # Else the file of each part is looked at for each page.
        auto_reload=False,
    )
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    language = Language(code)
    environment.globals.update(_text_functions(language.translations))
    environment.filters["shown"] = show_text
    environment.filters["actor_name"] = partial(name_actor, Language(code))
    environment.globals["user_name"] = name_user
    nameless = Markup(language.text("Case without a Tag ID"))  # noqa: S704 - a catalogue is our own
    environment.globals["case_name"] = partial(name_case, nameless=nameless)
    environment.globals["short"] = shorten_text
    return environment


def name_actor(language: Language, name: str) -> str:
    """Return the name of a token; no token has that of the command line."""
    return language.text("command line") if name == COMMAND_LINE.name else name


def _text_functions(translations: NullTranslations) -> dict[str, Callable[..., Markup]]:
    """Return what templates call for their texts.

    Jinja's own functions look the catalogue up and make markup for each call: a third of the time
    of a page whose rows have labels.
    """

    @lru_cache(None)
    def translate(message: str) -> Markup:
        return Markup(translations.gettext(message))  # noqa: S704 - a catalogue is our own

    def gettext(message: str, /, **values: object) -> Markup:
        return translate(message) % values if values else translate(message)

    def ngettext(one: str, many: str, num: int, **values: object) -> Markup:
        text = translations.ngettext(one, many, num)
        return Markup(text) % {"num": num, **values}  # noqa: S704

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


class _When:
    """Writes times for templates: `when(text)`, relative, with the exact time in the title."""

    def __init__(self, language: Language) -> None:
        self._language = language
        # What one import has written has the same time in all rows of a page.
        self._written: dict[str, Markup] = {}

    def __call__(self, text: str | None) -> Markup:
        if text is None:
            return Markup("")
        if text not in self._written:
            self._written[text] = self._write(text)
        return self._written[text]

    def _write(self, text: str) -> Markup:
        moment = datetime.fromisoformat(text)
        exact, ago = self._language.exact(moment), self._language.ago(moment)
        # Faster than `Markup.format`; nothing in it has been written by a person.
        return Markup(f'<time datetime="{text}" title="{exact}">{ago}</time>')  # noqa: S704

    def exactly(self, text: str) -> Markup:
        moment = datetime.fromisoformat(text)
        return Markup('<time datetime="{}">{}</time>').format(text, self._language.exact(moment))

    def day(self, text: str | None) -> str:
        return self._language.day(date.fromisoformat(text)) if text else ""
