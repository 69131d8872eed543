"""What the tables share: names of constraints, times, ids, and the school and school year of every row."""

from __future__ import annotations

import base64
import datetime
import secrets
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, ForeignKey, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

ID_LENGTH = 26
_FIRST_MONTH = 4
_JAPAN = datetime.timezone(datetime.timedelta(hours=9), "JST")


def new_id() -> str:
    """A new id, safe to show: 48 bits of milliseconds, then 80 of chance, in the order in which they are made.

    The parts are those of a UUID version 7 (RFC 9562), written in the 26 small letters and digits of base32hex
    (RFC 4648), which sort as the numbers do.
    """
    milliseconds = time.time_ns() // 1_000_000
    return (
        base64.b32hexencode(milliseconds.to_bytes(6, "big") + secrets.token_bytes(10))
        .decode()[:ID_LENGTH]
        .lower()
    )


def utc_now() -> datetime.datetime:
    """The time now, in UTC."""
    return datetime.datetime.now(datetime.UTC)


def school_year_of(day: datetime.date | datetime.datetime) -> int:
    """The school year (年度) of a day in Japan, which begins on 1 April; a time counts as Japanese time."""
    if isinstance(day, datetime.datetime):
        day = day.astimezone(_JAPAN)
    return day.year if day.month >= _FIRST_MONTH else day.year - 1


class UtcTime(TypeDecorator[datetime.datetime]):
    """A time in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """To the database: in UTC; a time without zone is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a zone")
        return value.astimezone(datetime.UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime.datetime | None:  # noqa: ARG002
        """From the database: with its zone."""
        if value is None:
            return None
        assert isinstance(value, datetime.datetime)
        return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)


class Table(DeclarativeBase):
    """Base of all tables; constraints have names, so that a migration can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime.datetime: UtcTime, str: String}  # noqa: RUF012  (as SQLAlchemy declares it)


class OfSchoolYear:
    """A row of one school in one school year (年度); the year is the one in which it was made where none is natural."""

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id, sort_order=-3)
    school_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("schools.id"), sort_order=-2)
    school_year: Mapped[int] = mapped_column(sort_order=-1)
