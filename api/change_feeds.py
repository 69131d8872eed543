"""What changes in exams, told to everybody who listens: one look at the database for all of them.

Changes are rows with a number each, so whoever knows the last number that they saw misses none and gets none twice. Who is
where (presence) is in memory alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from omr.errors import Refused
from scoring.storage.changes import ExamChange, change_numbers, list_changes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from scoring.storage.database import Database

_Result = TypeVar("_Result")
_RECENT = 1000
"""Changes of an exam that are kept in memory; who is further behind reads them from the database."""
_THREADS = 4
"""Looks at the database at once, however many listen: requests keep the threads and connections that they need."""


@dataclass(frozen=True, slots=True)
class FeedTimes:
    """How often a feed does things, seconds.

    Attributes:
        look: between two looks at the database, for what other processes wrote; own writes are looked for at once.
        silence: after which a listener is told that there is nothing.
        present: for which somebody counts as being where they last said.
        check: after which it is made sure that a listener is still signed in, at the next word or silence.
    """

    look: float = 0.25
    silence: float = 15.0
    present: float = 90.0
    check: float = 25.0


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is at which question: question by account, None for who looks at the exam as a whole."""

    people: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Reload:
    """What the listener knows can't be true (a backup was restored): all is to be read anew; `number` is the last change."""

    number: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing happened for a while."""


Told: TypeAlias = ExamChange | Presence | Reload | Silence
"""What a listener is told."""


@dataclass(slots=True)
class _Feed:
    """The feed of one exam, used in the event loop only.

    Attributes:
        last: number of the last change that is known; -1 before the first look.
        recent: the last changes, in order, without gaps.
        people: where each account is, and when it said so.
        people_version: counts the changes of `people`.
        listeners: how many listen.
        moved: set, and replaced, when there is something to tell.
    """

    last: int = -1
    recent: deque[ExamChange] = field(default_factory=lambda: deque(maxlen=_RECENT))
    people: dict[str, tuple[str | None, float]] = field(default_factory=dict)
    people_version: int = 0
    listeners: int = 0
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def places(self) -> dict[str, str | None]:
        return {account: question for account, (question, _) in self.people.items()}

    def tell(self) -> None:
        self.moved.set()
        self.moved = asyncio.Event()

    def add(self, changes: Sequence[ExamChange]) -> None:
        for change in changes:
            if change.number == self.last + 1:
                self.recent.append(change)
                self.last = change.number
        self.tell()

    def after(self, number: int) -> list[ExamChange]:
        """The changes behind a number; empty where they are no longer in memory."""
        if not self.recent or self.recent[0].number > number + 1:
            return []
        return [change for change in self.recent if change.number > number]

    def forget_people(self, before: float) -> None:
        gone = [account for account, (_, at) in self.people.items() if at < before]
        for account in gone:
            del self.people[account]
        if gone:
            self.people_version += 1
            self.tell()


class ChangeFeeds:
    """The feeds of a school's exams in this process.

    Args:
        database: with the changes.
        school_id: of the school.
        times: how often it does things.
    """

    def __init__(self, database: Database, school_id: str, times: FeedTimes | None = None) -> None:
        self._database = database
        self._school_id = school_id
        self.times = times or FeedTimes()
        self._feeds: dict[str, _Feed] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._threads = ThreadPoolExecutor(_THREADS, "changes")
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return sum(feed.listeners for feed in tuple(self._feeds.values()))

    async def listen(self, exam_id: str, after: int | None) -> AsyncGenerator[Told, None]:
        """What happens in an exam, from now on until the listener goes away or the feeds are closed.

        Args:
            exam_id: of an exam of the school.
            after: number of the last change that the listener knows; None for none but those that come.

        Raises:
            Refused: the database can't be reached; to listen again later misses nothing.
        """
        feed = self._feeds.setdefault(exam_id, _Feed())
        feed.listeners += 1
        try:
            self._start()
            now = await self._in_thread(lambda: self._number_of(exam_id))
            if feed.last < 0:
                feed.last = now
            position = now if after is None else after
            if position > max(now, feed.last):
                position = max(now, feed.last)
                yield Reload(position)
            async for told in self._follow(exam_id, feed, position):
                yield told
        finally:
            feed.listeners -= 1
            if not feed.listeners and self._feeds.get(exam_id) is feed:
                del self._feeds[exam_id]

    def place(self, exam_id: str, account_id: str, question: str | None, *, is_leaving: bool = False) -> None:
        """Tell who listens where somebody is; from any thread.

        Args:
            exam_id: of the exam.
            account_id: who.
            question: at which question; None for none in particular.
            is_leaving: whether they look at the exam no more.
        """

        def set_place() -> None:
            feed = self._feeds.get(exam_id)
            if feed is None:
                return  # nobody listens
            before = feed.places
            feed.people.pop(account_id, None)
            if not is_leaving:
                feed.people[account_id] = (question, asyncio.get_running_loop().time())
            if feed.places != before:
                feed.people_version += 1
                feed.tell()

        self._in_loop(set_place)

    def close(self) -> None:
        """Let all listeners end; from any thread."""

        def end() -> None:
            self._closed = True
            self._woken.set()
            for feed in self._feeds.values():
                feed.tell()

        self._in_loop(end)

    async def _follow(self, exam_id: str, feed: _Feed, position: int) -> AsyncGenerator[Told, None]:
        people_version = 0
        while not self._closed:
            moved = feed.moved  # taken before looking: what comes meanwhile sets it
            if position < feed.last:
                for change in feed.after(position) or await self._in_thread(
                    partial(self._changes_of, exam_id, position)
                ):
                    yield change
                    position = change.number
                continue
            if people_version != feed.people_version:
                people_version = feed.people_version
                yield Presence(feed.places)
                continue
            try:
                async with asyncio.timeout(self.times.silence):
                    await moved.wait()
            except TimeoutError:
                yield Silence()

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._looking is None:
            self._looking = self._loop.create_task(self._look_again_and_again())

    async def _look_again_and_again(self) -> None:
        self._database.after_write.append(self._wake)
        try:
            while self._feeds and not self._closed:
                self._woken.clear()
                with contextlib.suppress(Refused):  # the database is busy: next time
                    await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.times.look):
                        await self._woken.wait()
        finally:
            self._database.after_write.remove(self._wake)
            self._looking = None

    async def _look(self) -> None:
        known = {exam_id: feed.last for exam_id, feed in self._feeds.items() if feed.last >= 0}
        for exam_id, changes in (await self._in_thread(lambda: self._news(known))).items():
            if exam_id in self._feeds:
                self._feeds[exam_id].add(changes)
        earliest = asyncio.get_running_loop().time() - self.times.present
        for feed in self._feeds.values():
            feed.forget_people(earliest)

    def _news(self, known: Mapping[str, int]) -> dict[str, Sequence[ExamChange]]:
        with self._database.read() as session:
            numbers = change_numbers(session, self._school_id, known)
            return {
                exam_id: list_changes(session, exam_id, known[exam_id])
                for exam_id, number in numbers.items()
                if number > known[exam_id]
            }

    def _number_of(self, exam_id: str) -> int:
        with self._database.read() as session:
            return change_numbers(session, self._school_id, [exam_id]).get(exam_id, 0)

    def _changes_of(self, exam_id: str, after: int) -> list[ExamChange]:
        with self._database.read() as session:
            return list(list_changes(session, exam_id, after))

    async def _in_thread(self, read: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, read)

    def _wake(self, waited: float) -> None:  # noqa: ARG002  (how long a write waited is no matter here)
        self._in_loop(self._woken.set)

    def _in_loop(self, act: Callable[[], None]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all listeners
                self._loop.call_soon_threadsafe(act)
