"""What a command works on: an app, its settings, its store."""

import pkgutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

from rota.model.errors import ConfigurationError, StoreError
from rota.settings import Settings, change_settings, load_settings, shown_url

if TYPE_CHECKING:
    # `rota --help` passes by here and needs none of them.
    from rota.definitions.registry import Registry
    from rota.model.schedule import ScheduleRecord
    from rota.ports.store import Store

__all__ = ["DEMO", "App", "EmptyStoreError", "Schedules", "Target", "from_above"]

DEMO = "rota.demo.app:app"


class EmptyStoreError(StoreError):
    """The store is there or could be made, and holds nothing of Rota."""


class Schedules(Protocol):
    """The schedules of an app's code."""

    async def store_declared(self, store: "Store") -> dict[str, str]:
        """Store them; returns what became of each."""
        ...

    def declared(self) -> "Sequence[ScheduleRecord]":
        """Return them as they would be stored."""
        ...


class App(Protocol):
    """What commands need of an app."""

    settings: Settings
    registry: "Registry"

    @property
    def schedules(self) -> Schedules: ...  # noqa: D102 - the type says it

    def faults(self) -> list[str]:
        """Return every fault of the definitions at once."""
        ...


class Target:
    """Finds the app and the store that a command is about, each when it is first needed.

    Args:
        embedded: the app whose script was started, if one was.
        locator: "module:attribute" from the command line.
        url: the store, instead of the app's.
    """

    def __init__(
        self, embedded: App | None = None, locator: str | None = None, url: str | None = None
    ) -> None:
        if embedded is not None and locator is not None:
            raise ConfigurationError(
                [f"app {locator!r}: this script is an app already; leave the option out"]
            )
        self.url = url
        self._app = embedded
        self._locator = locator
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The app's settings, or those of files and environment; with the url of the command line.

        Raises:
            ConfigurationError: a setting or the app is at fault.
        """
        if self._settings is None:
            # With a url the store is known, and an app need not be imported to look at it.
            app = self._app if self.url is not None else self.app
            if app is not None:
                self._settings = change_settings(app.settings, {"url": self.url})
            else:
                self._settings = load_settings({"url": self.url})
        return self._settings

    @property
    def locator(self) -> str:
        """The app as "module:attribute"; "" for a script, and where there is none."""
        if self._locator is None and self._app is None:
            self._locator = load_settings({"url": self.url}).app or None
        return self._locator or ""

    @property
    def named(self) -> bool:
        """Whether there is an app, which need not be imported to know that."""
        return self._app is not None or bool(self.locator)

    @property
    def quick_settings(self) -> Settings:
        """The settings, without importing the app for them; a script that was started has its own."""
        return self._app.settings if self._app is not None else load_settings({"url": self.url})

    @property
    def app(self) -> App | None:
        """The app, imported at the first look; None where none was given.

        Raises:
            ConfigurationError: the module cannot be imported, or holds no such app.
        """
        if self._app is None and self.locator:
            self._app = cast("App", from_above("rota.app.locate:load_app")(self.locator))
        return self._app

    @property
    def registry(self) -> "Registry | None":
        """The definitions of the app, where one was given and can be imported."""
        try:
            return self.app.registry if self.app is not None else None
        except ConfigurationError:
            # `app` says why, to those who cannot do without.
            return None

    def require_app(self, command: str) -> App:
        """Return the app.

        Raises:
            ConfigurationError: none was given.
        """
        if self.app is None:
            raise ConfigurationError(
                [f"no app is given: rota {command} MODULE:app (for example main:app), --app, or ROTA_APP"]
            )
        return self.app

    def at(self, locator: str) -> "Target":
        """Return another app on the same store."""
        return Target(None, locator, self.url)

    def use_default(self) -> App:
        """Return the app, or one without tasks where none was given."""
        return self.app or cast("App", from_above("rota.app.locate:default_app")())

    @asynccontextmanager
    async def store(self) -> "AsyncIterator[Store]":
        """Make the store for the length of a command; it is not opened, and closed afterwards.

        Raises:
            ConfigurationError: its url names no known store.
        """
        from rota.wiring import make_store

        store = make_store(self.settings)
        try:
            yield store
        finally:
            await store.close()

    def declared(self) -> "Sequence[ScheduleRecord]":
        """Return the schedules of the app's code; none without an app.

        Raises:
            ConfigurationError: the module cannot be imported, or holds no such app.
        """
        return self.app.schedules.declared() if self.app is not None else ()

    @asynccontextmanager
    async def open(self, *, empty: bool = False) -> "AsyncIterator[Store]":
        """Open the store for the length of a command.

        Args:
            empty: make it where there is none; without it, a mistyped url makes no store.

        Raises:
            EmptyStoreError: it holds nothing of Rota.
            StoreError: it cannot be reached, or does not fit.
        """
        async with self.store() as store:
            if not empty:
                await _refuse_empty(store)
            await store.open()
            yield store


def from_above(name: str) -> Callable[..., Any]:
    """Return a function of the app's floor; commands stand below it and find it by name, as a user's app."""
    return cast("Callable[..., Any]", pkgutil.resolve_name(name))


async def _refuse_empty(store: "Store") -> None:
    if (await store.schema()).version == 0:
        raise EmptyStoreError(
            f"{shown_url(store.url)} holds no Rota yet. Correct the url (--url, ROTA_URL), or make it: "
            "rota db upgrade, or the first run or enqueue"
        )
