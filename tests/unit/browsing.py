"""A real browser, and what went wrong while a page was looked at."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

#: Debian's, and what GitHub's machines have.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_EXECUTABLE = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
needs_browser = pytest.mark.skipif(
    _EXECUTABLE is None, reason="no browser is installed: apt-get install chromium (or google-chrome)"
)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """One browser for many pages."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own sandbox refuses root
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=_EXECUTABLE, args=arguments)
        yield one
        one.close()


class Look:
    """A file in a page of its own, with all that went wrong or was asked for while it was looked at."""

    def __init__(self, browser: Any, address: str, *, size: tuple[int, int] = (1440, 900), **how: Any) -> None:
        width, height = size
        self.page = browser.new_page(viewport={"width": width, "height": height}, **how)
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.faults.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    def _dismiss(self, dialog: Any) -> None:
        self.faults.append(dialog.message)
        dialog.dismiss()

    @property
    def overflow_px(self) -> int:
        """By how much the page is wider than the screen."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return found

    def open_all(self) -> None:
        """And lay out what is below the screen too."""
        self.page.click("text=Open all")
        self.page.evaluate(
            "for (const one of document.querySelectorAll('.body')) one.style.contentVisibility = 'visible'"
        )

    @property
    def closed(self) -> Any:
        """The first variant that is not open."""
        return self.page.locator("details.variant:not([open]) .body").first

    @property
    def hacked(self) -> bool:
        return bool(self.page.evaluate("window.hacked"))

    @property
    def violations(self) -> list[Any]:
        """Of axe-core's rules: which, and where."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
