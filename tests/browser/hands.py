"""Two ways to use a page: with a mouse, and with nothing but a keyboard."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MOST_STEPS = 150  # of the Tab key until something must have been reached


class Hand(Protocol):
    """What somebody does on a page."""

    def press(self, target: "Locator") -> None:
        """A button or a link."""

    def write(self, target: "Locator", text: str) -> None:
        """Into a field."""

    def choose(self, target: "Locator", title: str) -> None:
        """The entry of a menu that begins so."""

    def tick(self, target: "Locator") -> None:
        """A box."""

    def visit(self, title: str, letter: str) -> None:
        """A page of the navigation."""


class Mouse:
    """Points and clicks."""

    def __init__(self, page: "Page") -> None:
        self._page = page

    def press(self, target: "Locator") -> None:
        target.click()

    def write(self, target: "Locator", text: str) -> None:
        target.click()
        target.fill(text)

    def choose(self, target: "Locator", title: str) -> None:
        titles = target.locator("option").all_inner_texts()
        target.select_option(label=next(one for one in titles if one.startswith(title)))

    def tick(self, target: "Locator") -> None:
        target.click()

    def visit(self, title: str, letter: str) -> None:
        menu = self._page.get_by_role("navigation", name="Main")
        menu.get_by_role("link", name=title, exact=True).click()


class Keyboard:
    """Goes from one thing to the next by Tab, as who cannot use a mouse does, and sees where."""

    def __init__(self, page: "Page") -> None:
        self._page = page

    def press(self, target: "Locator") -> None:
        self._reach(target)
        self._page.keyboard.press("Enter")

    def write(self, target: "Locator", text: str) -> None:
        self._reach(target)
        self._page.keyboard.press("Control+A")
        self._page.keyboard.type(text)

    def choose(self, target: "Locator", title: str) -> None:
        self._reach(target)
        self._page.keyboard.type(title)

    def tick(self, target: "Locator") -> None:
        self._reach(target)
        self._page.keyboard.press("Space")

    def visit(self, title: str, letter: str) -> None:
        self._page.evaluate("document.activeElement.blur()")
        self._page.keyboard.press("g")
        self._page.keyboard.press(letter)
        self._page.get_by_role("heading", name=title, level=1, exact=True).wait_for()

    def _reach(self, target: "Locator") -> None:
        # To look for it by its role again after every step would take far longer than the steps.
        element = target.element_handle()
        for _ in range(MOST_STEPS):
            if element.evaluate("(element) => element === document.activeElement"):
                seen = element.evaluate("(element) => element.matches(':focus-visible')")
                assert seen, f"Nobody sees that {target} has the focus."
                return
            self._page.keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached by the keyboard.")
