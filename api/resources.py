"""What several resources of the HTTP interface have in common.

Points (配点, 得点) are exact decimals and travel as text ("2", "2.5"); null means that there are none yet (未採点).
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

PointsText: TypeAlias = Annotated[
    str, Field(examples=["2", "2.5"], description="exact points without trailing zeros")
]


class _Resource(BaseModel):
    model_config = ConfigDict(frozen=True)


class StudentName(_Resource):
    """A student (生徒) of the roster."""

    student_id: str = Field(examples=["2026-0213"])
    grade: str = Field(examples=["2"])
    class_name: str = Field(examples=["1"])
    number: str = Field(examples=["13"])
    name: str = Field(examples=["見本 花子"])
    kana: str = Field(examples=["みほん はなこ"])


class Problem(_Resource):
    """What went wrong (RFC 9457), with a sentence for the teacher in `detail`."""

    type: str = "about:blank"
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["設問「9-9」はこの試験にありません。設問の一覧から選んでください。"])
