"""Why a page is none of this exam's: the sentence that the teacher reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omr.code_reader import has_foreign_code
from omr.errors import PageSetAside, Trouble

if TYPE_CHECKING:
    from omr.pixels import Gray
    from omr.sheet_code import SheetCode


def explain_unknown_page(gray: Gray, has_squares: bool) -> PageSetAside:  # noqa: FBT001
    """Why no code of ours was found on a page.

    Args:
        gray: the page.
        has_squares: whether our squares were found on it.
    """
    if has_squares:
        return PageSetAside(
            Trouble.NO_CODE,
            "QRコードが読めず、だれの何ページ目か分かりません。汚れや折れを直して読み取り直してください。",
        )
    if has_foreign_code(gray):
        return PageSetAside(
            Trouble.FOREIGN_CODE,
            "この採点システムで印刷した解答用紙ではありません（別のQRコードがあります）。",
        )
    return PageSetAside(
        Trouble.NO_FIDUCIALS,
        "解答用紙として読めません（四隅の■もQRコードも見つかりません）。この試験の解答用紙か、端が切れていないかを確かめてください。",
    )


def check_belongs(code: SheetCode, exam: str, layout: str, pages: int) -> None:
    """Check that a code is of this exam and this layout.

    Args:
        code: that was read.
        exam: the exam part of its codes.
        layout: the layout part of its codes.
        pages: of a sheet.

    Raises:
        PageSetAside: it is not.
    """
    if code.exam != exam:
        raise PageSetAside(
            Trouble.OTHER_EXAM,
            f"別の試験の解答用紙です（用紙の試験コード {code.exam}、この試験は {exam}）。",
        )
    if code.layout != layout or code.page > pages:
        raise PageSetAside(
            Trouble.OTHER_LAYOUT,
            "この試験の別の版の解答用紙です。印刷したときの EXAM.toml で読み取ってください。",
        )
