"""HTTP routes of attendance: who sat an exam (出席, 欠席, 公欠, 後日受験, 別室)."""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.http_rules import NOT_FOUND
from api.judgement_resources import Id  # noqa: TC001  (pydantic needs it at run time)
from api.problems import Stale
from api.rights import Caller, Right, asks
from scoring.storage import attendance, exams
from scoring.storage.attendance import Attendance, NewAttendance, StudentAttendance

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
Judge = Annotated[Caller, Depends(asks(Right.JUDGE))]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SentAttendance(_Model):
    """What somebody says of a student's attendance.

    Attributes:
        student: id of the student on this server.
        attendance: present (出席), absent (欠席), excused (公欠), later (後日受験) or elsewhere (別室).
        version: of the word that was seen; 0 where nothing was said.
    """

    student: Id
    attendance: Attendance
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]


class SentAttendances(_Model):
    """Words on the attendance of different students, kept all or none."""

    items: Annotated[list[SentAttendance], Field(min_length=1, max_length=2000)]


class AttendanceResource(_Model):
    """A student's attendance.

    Attributes:
        student: id of the student on this server.
        attendance: the last word; null where nobody said anything.
        version: counts the words; 0 where nothing was said.
        made_at: when it was said.
        made_by: by whom (account id).
        pages: ids of the read pages that are proven theirs.
        is_contradiction: absent or excused, and yet there is a page.
    """

    student: str
    attendance: Attendance | None
    version: int
    made_at: datetime.datetime | None
    made_by: str | None
    pages: list[str]
    is_contradiction: bool

    @classmethod
    def of(cls, one: StudentAttendance) -> AttendanceResource:
        """An attendance as it is sent."""
        said = one.said
        return cls(
            student=one.student_id,
            attendance=said.attendance if said else None,
            version=said.number if said else 0,
            made_at=said.made_at if said else None,
            made_by=said.made_by if said else None,
            pages=list(one.page_ids),
            is_contradiction=one.is_contradiction,
        )


class AttendancePage(_Model):
    """Some students in roster order; `next` is to be asked for as `after`, null at the end."""

    attendances: list[AttendanceResource]
    next: int | None


class KeptAttendances(_Model):
    """The attendances of a request as kept, in roster order."""

    attendances: list[AttendanceResource]


@routes.get("/exams/{exam_id}/attendance", responses=NOT_FOUND)
def list_attendances(
    exam_id: str,
    caller: Reader,
    contradictions: Annotated[bool, Query(description="only absent students with a page")] = False,  # noqa: FBT002
    after: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 1000,
) -> AttendancePage:
    """The students of the exam's school year and whether they sat it."""
    with caller.instance.database.read() as session:
        exam = exams.find_exam(session, caller.instance.school_id, exam_id)
        found = attendance.list_attendances(session, exam, caller.instance.school_id)
    if contradictions:
        found = [one for one in found if one.is_contradiction]
    end = after + limit
    return AttendancePage(
        attendances=[AttendanceResource.of(one) for one in found[after:end]],
        next=end if end < len(found) else None,
    )


@routes.post("/exams/{exam_id}/attendance", status_code=201, responses=NOT_FOUND)
def add_attendances(exam_id: str, sent: SentAttendances, caller: Judge) -> KeptAttendances:
    """Say who sat an exam, all or none.

    Where somebody else said something meanwhile, the problem's `current` and `sent` name every student that this
    holds for. A request may be repeated: what this account said already is not said twice.
    """
    items = [NewAttendance(one.student, one.attendance, one.version) for one in sent.items]
    with caller.instance.database.write() as session:
        exam = exams.hold_exam(session, caller.instance.school_id, exam_id)
        try:
            kept = attendance.add_attendances(session, caller.deed, exam, items)
        except attendance.SaidMeanwhile as late:
            current = [AttendanceResource.of(now) for _, now in late.conflicts]
            wanted = [
                SentAttendance(student=one.student_id, attendance=one.attendance, version=one.number)
                for one, _ in late.conflicts
            ]
            raise Stale(late.reason, current, wanted) from late
    return KeptAttendances(attendances=[AttendanceResource.of(one) for one in kept])
