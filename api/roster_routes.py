"""HTTP routes of rosters (名簿): read, show what a file would change, apply what was confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict

from api.resources import StudentName
from api.rights import Caller, Right, asks
from api.versions import TextBody, Version, entity_tag, version_number
from scoring.roster import Student, parse_roster
from scoring.roster_changes import RosterChanges, compare_rosters
from scoring.storage.rosters import apply_roster, find_roster

if TYPE_CHECKING:
    from collections.abc import Sequence

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_ROSTERS))]
Writer = Annotated[Caller, Depends(asks(Right.CHANGE_ROSTERS))]
SchoolYear: TypeAlias = Annotated[int, Path(ge=1900, le=2999, description="年度", examples=[2026])]
_NAME = "名簿"
_CSV_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "student_id,grade,class,number,name,kana\ns-1,2,1,1,見本 一郎,みほん いちろう\n",
            }
        },
    }
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class StudentPage(_Model):
    """Some students in roster order.

    Attributes:
        school_year: 年度.
        version: number of changes of the roster so far, 0 where there is none; also in the ETag.
        total: number of students.
        students: from `offset` on.
    """

    school_year: int
    version: int
    total: int
    students: list[StudentName]


class ChangedStudent(_Model):
    """A student (変更) as they are and as they would be."""

    before: StudentName
    after: StudentName


class Difference(_Model):
    """What a roster file changes, to be confirmed by a person.

    Attributes:
        version: of the roster that it is compared with.
        digest: names these changes; whoever applies them sends it as `confirmed`.
        joined: 転入.
        left: 転出.
        changed: 変更.
        unchanged: number of the others.
    """

    version: int
    digest: str
    joined: list[StudentName]
    left: list[StudentName]
    changed: list[ChangedStudent]
    unchanged: int


@routes.get("/rosters/{school_year}")
def read_roster(
    school_year: SchoolYear,
    caller: Reader,
    response: Response,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> StudentPage:
    """The students of a school year, in roster order."""
    with caller.instance.database.read() as session:
        stored = find_roster(session, caller.instance.school_id, school_year)
    response.headers["ETag"] = entity_tag(stored.version)
    students = stored.roster.students
    return StudentPage(
        school_year=school_year,
        version=stored.version,
        total=len(students),
        students=_names(students[offset : offset + limit]),
    )


@routes.post("/rosters/{school_year}/differences", openapi_extra=_CSV_BODY)
def compare_roster(school_year: SchoolYear, caller: Writer, csv: TextBody, response: Response) -> Difference:
    """What ROSTER.csv, the whole roster of the school year, would change; nothing is changed yet."""
    roster = parse_roster(csv, _NAME)
    with caller.instance.database.read() as session:
        stored = find_roster(session, caller.instance.school_id, school_year)
    response.headers["ETag"] = entity_tag(stored.version)
    return _difference(stored.version, compare_rosters(stored.roster, roster))


@routes.put("/rosters/{school_year}", openapi_extra=_CSV_BODY)
def replace_roster(
    school_year: SchoolYear,
    caller: Writer,
    csv: TextBody,
    version: Version,
    confirmed: Annotated[str, Query(pattern="^[0-9a-f]{64}$", description="digest of the changes")],
    response: Response,
) -> Difference:
    """Apply ROSTER.csv as it was confirmed; answers what was changed."""
    roster = parse_roster(csv, _NAME)
    with caller.instance.database.write() as session:
        stored, changes = apply_roster(
            session,
            caller.deed,
            school_year,
            roster,
            version=version_number(version),
            confirmed=confirmed,
        )
    response.headers["ETag"] = entity_tag(stored.version)
    return _difference(stored.version, changes)


def _difference(version: int, changes: RosterChanges) -> Difference:
    return Difference(
        version=version,
        digest=changes.digest,
        joined=_names(changes.joined),
        left=_names(changes.left),
        changed=[ChangedStudent(before=_name(one.before), after=_name(one.after)) for one in changes.changed],
        unchanged=changes.unchanged,
    )


def _names(students: Sequence[Student]) -> list[StudentName]:
    return [_name(one) for one in students]


def _name(student: Student) -> StudentName:
    return StudentName(
        student_id=student.student_id,
        grade=student.grade,
        class_name=student.class_name,
        number=student.number,
        name=student.name,
        kana=student.kana,
    )
