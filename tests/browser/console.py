"""The console in a browser, as its visitor uses it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page

from tests.acceptance.program import Place


class Console:
    """A tab with the console of a running Caseroll."""

    def __init__(self, place: Place, page: Page) -> None:
        self.place = place
        self.page = page
        self.url = (place.folder / ".caseroll/url").read_text().strip()
        self.token = (place.folder / ".caseroll/admin.token").read_text().strip()

    async def sign_in(self, token: str | None = None) -> None:
        """Open the link that `caseroll up` prints, or one with another token."""
        await self.page.goto(f"{self.url}/console/sign-in#token={token or self.token}")
        await self.page.wait_for_url("**/console/imports")

    async def open(self, path: str) -> None:
        """Open a page by its address, such as `imports/new`."""
        await self.page.goto(f"{self.url}/console/{path}")

    async def follow(self, target: Locator) -> None:
        """Click what leads to another page, and wait for that page: a click alone does not wait."""
        async with self.page.expect_navigation():
            await target.click()

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a file to upload."""
        path = self.place.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def import_id(self, name: str, rows: str, kind: str = "assign", *options: str) -> str:
        """Run an import by the command line, and return its ID."""
        self.place.run(
            "import", str(self.file(f"{name}.csv", rows)), "--type", kind, "--name", name, *options
        )
        return self.find_import(name)

    def find_import(self, name: str) -> str:
        """Return the ID of the newest import with a name."""
        query = "query ($name: String!) { imports(search: $name) { edges { node { id name } } } }"
        body = json.dumps({"query": query, "variables": {"name": name}}).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with urlopen(Request(f"{self.url}/graphql", body, headers)) as answer:
            edges = json.load(answer)["data"]["imports"]["edges"]
        return next(str(each["node"]["id"]) for each in edges if each["node"]["name"] == name)

    async def accessibility(self) -> list[str]:
        """Return what axe-core finds wrong with the page."""
        found = await Axe().run(self.page)
        return [
            f"{each['id']}: {each['nodes'][0]['html']}" for each in found.response["violations"]
        ]

    async def heading(self) -> str:
        """Return the page's heading."""
        return await self.page.inner_text("h1")
