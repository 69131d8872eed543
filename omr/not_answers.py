"""Boxes that are no answers: for the name, the class, the marks and the totals."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from omr.box_neighbours import TOUCH_MM, gap_beside, nearest_free, stands_above, stands_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from omr.geometry import Rectangle
    from omr.printed_labels import Label
    from omr.reading_frame import ReadingFrame

_NOT_ANSWERS = re.compile(
    r"氏名|名前|なまえ|姓名|ふりがな|フリガナ|学年|\d?年|年?組|クラス|学級|番|(出席|受験|学籍)?番号|年?組番(氏名)?|教科|科目"
    r"|得?点|点数|小?計|合計点?|総計|総得?点|評価|評[点定]|採点[欄者]?|配点|検?印|確認|観点"
    r"|知識・技能|思考・判断・表現|主体的に学習に取り組む態度|知技|思判表|知|思|主"
    r"|(your)?name|class|grade|n[o0]\.?|number|(total)?sc[o0]re|points?|total",
    re.IGNORECASE,
)
_IN_BOXES = re.compile(
    r"氏名|名前|年?組番(氏名)?|得?点|小計|合計点?|採点欄?|評価|評点|/\d{1,3}点?"
)  # units such as 年 are not
_POINTS_COLUMN = re.compile(r"配?点")
_BEHIND_BOXES = {"年", "組", "番", "番号", "点"}


def says_not_answer(text: str) -> bool:
    """Whether a piece of print says that what is beside or below it is no answer."""
    return _NOT_ANSWERS.fullmatch(unicodedata.normalize("NFKC", text)) is not None


def is_left_out(index: int, boxes: Sequence[Rectangle], labels: Sequence[Label], frame: ReadingFrame) -> bool:
    """Whether the print beside, above or in a box says that it is for a name, a mark or a total."""
    laid_boxes = [frame.lay(box) for box in boxes]
    before = [i for i, box in enumerate(laid_boxes) if stands_beside(box, laid_boxes[index])]
    if any(_says_not_answer(i, labels) for i in (index, *before)):
        return True
    outside = [replace(label, rectangle=frame.lay(label.rectangle)) for label in labels if label.box is None]
    box = laid_boxes[index]
    beside = _follow(box, laid_boxes, outside, stands_beside)
    if beside is None:
        beside = nearest_free(box, outside, gap_beside)
    if beside is not None and says_not_answer(beside.text):
        return True
    above = _follow(box, laid_boxes, outside, stands_above)
    directly_numbered = any(
        label.number and stands_beside(label.rectangle, box) for label in outside if label.in_cell
    )
    if above is not None and says_not_answer(above.text) and not directly_numbered:
        return True
    return any(
        (label.text == "点" and gap_beside(box, label.rectangle) <= 3)
        or (label.text in _BEHIND_BOXES and label.in_cell and stands_beside(box, label.rectangle))
        for label in outside
    )


def _says_not_answer(index: int, labels: Sequence[Label]) -> bool:
    inside = [unicodedata.normalize("NFKC", label.text) for label in labels if label.box == index]
    return any(_IN_BOXES.fullmatch(text) for text in (*inside, "".join(inside)))


def without_points(labels: Sequence[Label], frame: ReadingFrame) -> tuple[Label, ...]:
    """The labels, where the numbers in a column under 配点 number no question."""
    cells = [(frame.lay(label.rectangle), label) for label in labels if label.in_cell]
    headings = [box for box, label in cells if _POINTS_COLUMN.fullmatch(label.text)]
    columns = {
        id(label)
        for box, label in cells
        for heading in headings
        if label.number and heading.y < box.y and _is_one_column(heading, box)
    }
    return tuple(replace(label, number=None) if id(label) in columns else label for label in labels)


def _is_one_column(heading: Rectangle, cell: Rectangle) -> bool:
    return abs(heading.x - cell.x) <= TOUCH_MM and abs(heading.right - cell.right) <= TOUCH_MM


def _follow(
    box: Rectangle,
    boxes: Sequence[Rectangle],
    labels: Sequence[Label],
    adjoins: Callable[[Rectangle, Rectangle], bool],
) -> Label | None:
    """The first printed cell on the way from a box to the left (or upward) through equal boxes."""
    for _ in range(len(boxes) + 1):
        label = next((one for one in labels if one.in_cell and adjoins(one.rectangle, box)), None)
        if label is not None:
            return label
        following = next((one for one in boxes if one is not box and adjoins(one, box)), None)
        if following is None:
            return None
        box = following
    return None
