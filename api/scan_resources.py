"""What the HTTP interface takes and sends of scans: files, pages, what is to be done about them."""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from scoring.page_decisions import PageDecision  # noqa: TC001  (pydantic needs it at run time)
from scoring.scan_tasks import TaskKind, Way  # noqa: TC001  (pydantic needs it at run time)
from scoring.storage.decisions import MOST_AT_ONCE
from scoring.storage.scan_states import FileState, PageState  # noqa: TC001  (pydantic needs it at run time)

if TYPE_CHECKING:
    from scoring.storage.decisions import KeptDecision
    from scoring.storage.scan_tasks import MissingPage, Task
    from scoring.storage.scans import StoredFile, StoredPage

_ID = "0dj5f3b8c2a4e6g8i0k2m4o6q8"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileResource(_Model):
    """A scan file.

    Attributes:
        id: of the file on this server.
        name: as its sender called it.
        sha256: of its content.
        size: bytes.
        state: received, counted (its pages are known) or refused.
        page_count: pages in it; null as long as they are not counted.
        waiting: how many of its pages wait to be read.
        reason: why it was refused.
        trouble: the same for programs; empty if none.
        received_at: when.
        received_by: account id; null from the watched folder.
    """

    id: str = Field(examples=[_ID])
    name: str = Field(examples=["scan_0001.pdf"])
    sha256: str
    size: int
    state: FileState
    page_count: int | None
    waiting: int
    reason: str
    trouble: str
    received_at: datetime.datetime
    received_by: str | None

    @classmethod
    def of(cls, stored: StoredFile) -> FileResource:
        """A stored file as it is sent."""
        return cls(
            id=stored.id,
            name=stored.name,
            sha256=stored.blob,
            size=stored.size,
            state=stored.state,
            page_count=stored.page_count,
            waiting=stored.waiting,
            reason=stored.reason,
            trouble=stored.trouble,
            received_at=stored.received_at,
            received_by=stored.received_by,
        )


class FileList(_Model):
    """Some files in the order in which they came; `next` is to be asked for as `after`, null at the end."""

    files: list[FileResource]
    next: str | None


class OwnerResource(_Model):
    """Whose a page may be.

    Attributes:
        outcome: proven, probable, unknown, or twice where another page claims the same student.
        student: id of the student on this server; null for nobody.
        chance: that it is this student's; null where nothing is known of it.
        grounds: what speaks for it: code, bubbles, written, order, elimination, person.
    """

    outcome: str = Field(examples=["probable"])
    student: str | None = Field(None, examples=[_ID])
    chance: float | None = Field(None, examples=[0.97])
    grounds: list[str] = Field([], examples=[["order"]])


class PageResource(_Model):
    """A page of a scan file as it now stands.

    Attributes:
        id: of the page on this server.
        file: id of its file.
        file_name: as the file's sender called it.
        number: of the page in the file, from 1.
        part: 1 or 2 where the page shows two sheets side by side, else 0.
        state: waiting (for the reader) or read.
        status: read, blank, duplicate, quarantined or dropped; null before it was read.
        reason: why it was set aside, or a remark.
        trouble: the same for programs; empty if none.
        sheet: the same for the pages of one sheet; empty where that is not known.
        sheet_page: which page of the answer sheet it is; null where that is not known.
        student: id of the student whose it is proven to be; null if nobody's.
        owner: whose it may be; null where nobody asks.
        reading: names what was read last; pictures change with it.
        version: counts the page's changes; also the ETag.
    """

    id: str = Field(examples=[_ID])
    file: str = Field(examples=[_ID])
    file_name: str = Field(examples=["scan_0001.pdf"])
    number: int
    part: int
    state: PageState
    status: str | None = Field(examples=["quarantined"])
    reason: str
    trouble: str = Field(examples=["no_code"])
    sheet: str
    sheet_page: int | None
    student: str | None
    owner: OwnerResource | None
    reading: str | None
    version: int

    @classmethod
    def of(cls, stored: StoredPage) -> PageResource:
        """A stored page as it is sent."""
        return cls(
            id=stored.id,
            file=stored.file_id,
            file_name=stored.file_name,
            number=stored.number,
            part=stored.part,
            state=stored.state,
            status=stored.status,
            reason=stored.reason,
            trouble=stored.trouble,
            sheet=stored.sheet,
            sheet_page=stored.sheet_page,
            student=stored.student_id,
            owner=OwnerResource.model_validate(dict(stored.owner)) if stored.owner is not None else None,
            reading=stored.reading_id,
            version=stored.version,
        )


class ScanPages(_Model):
    """Some pages, file by file; `next` is to be asked for as `after`, null at the end."""

    pages: list[PageResource]
    next: str | None


class DecisionResource(_Model):
    """What was decided about a page, by whom (account id; null for the machine) and when."""

    number: int
    what: str = Field(examples=["turn"])
    detail: dict[str, Any]
    made_at: datetime.datetime
    made_by: str | None

    @classmethod
    def of(cls, kept: KeptDecision) -> DecisionResource:
        """A decision as it is sent."""
        return cls(
            number=kept.number,
            what=kept.what,
            detail=dict(kept.detail),
            made_at=kept.made_at,
            made_by=kept.made_by,
        )


class PageWithDecisions(PageResource):
    """A page with all that was decided about it, the first decision first."""

    decisions: list[DecisionResource]


class DecisionWanted(_Model):
    """A person's decision about a page.

    Attributes:
        version: of the page that the person saw.
        decision: what they decided.
    """

    version: int = Field(ge=1, le=2**31 - 1, examples=[1])
    decision: PageDecision = Field(examples=[{"what": "turn", "turn": 180}])


class NamedOwner(_Model):
    """Whose a page is; the version is that of the page that the person saw."""

    page: str = Field(max_length=40, pattern=r"^[^\x00]*$", examples=[_ID])
    version: int = Field(ge=1, le=2**31 - 1, examples=[1])
    student: str | None = Field(max_length=40, pattern=r"^[^\x00]*$", examples=[_ID])


class OwnersWanted(_Model):
    """Whose many pages are: of a class, say, whose probable owners a teacher confirmed."""

    owners: list[NamedOwner] = Field(min_length=1, max_length=MOST_AT_ONCE)


class ChangedPages(_Model):
    """Pages as they now are."""

    pages: list[PageResource]


class TaskResource(_Model):
    """Something that a person must do before the scans are in order.

    Attributes:
        kind: what is the matter.
        reason: the same in words.
        ways: how it can be mended, the likeliest first.
        page: the page; null where it is a whole file.
        file: the file; null where it is a page.
    """

    kind: TaskKind
    reason: str
    ways: list[Way]
    page: PageResource | None
    file: FileResource | None

    @classmethod
    def of(cls, task: Task) -> TaskResource:
        """A task as it is sent."""
        return cls(
            kind=task.kind,
            reason=task.reason,
            ways=list(task.ways),
            page=PageResource.of(task.page) if task.page is not None else None,
            file=FileResource.of(task.file) if task.file is not None else None,
        )


class TaskList(_Model):
    """Tasks from `offset` on, and how many there are of each kind."""

    tasks: list[TaskResource]
    counts: dict[TaskKind, int]
    total: int


class MissingResource(_Model):
    """A page of a student that is not there.

    Attributes:
        student: id of the student on this server.
        sheet_page: which page of the answer sheet.
        attendance: present, later (後日受験) or elsewhere (別室), as far as somebody said so.
        has_other_pages: whether other pages of this student are there.
    """

    student: str = Field(examples=[_ID])
    sheet_page: int = Field(examples=[1])
    attendance: str | None = Field(examples=["later"])
    has_other_pages: bool

    @classmethod
    def of(cls, missing: MissingPage) -> MissingResource:
        """A missing page as it is sent."""
        return cls(
            student=missing.student_id,
            sheet_page=missing.sheet_page,
            attendance=missing.attendance,
            has_other_pages=missing.has_other_pages,
        )


class MissingList(_Model):
    """Missing pages in roster order from `offset` on."""

    missing: list[MissingResource]
    total: int


class StrayResource(_Model):
    """A file in the watched folder that is not taken in, and why."""

    path: str = Field(examples=["2026-2F-MATH2/scan.docx"])
    size: int
    reason: str
