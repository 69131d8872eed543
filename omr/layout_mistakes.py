"""What is wrong with a layout file, in words for a teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

_SENTENCES = {
    "missing": "この項目がありません",
    "dataclass_type": "{{ }} で囲んだ項目の組にしてください",
    "tuple_type": "[ ] で囲んだ並びにしてください",
    "string_type": "文字列にしてください",
    "string_too_short": "空にはできません",
    "string_too_long": "{max_length}文字までにしてください",
    "too_short": "{min_length}個以上にしてください",
    "float_type": "数にしてください",
    "float_parsing": "数にしてください",
    "finite_number": "ふつうの数にしてください",
    "int_type": "整数にしてください",
    "int_parsing": "整数にしてください",
    "int_from_float": "整数にしてください",
    "greater_than": "{gt} より大きい数にしてください",
    "greater_than_equal": "{ge} 以上の数にしてください",
    "less_than_equal": "{le} 以下の数にしてください",
    "enum": "{expected} のどれかにしてください",
    "literal_error": "{expected} にしてください",
    "unexpected_keyword_argument": "知らない項目です",
}
"""pydantic's kind of mistake → what a teacher needs to know, without its full stop."""


def explain_mistake(error: ValidationError) -> str:
    """The place of the first mistake and what is wrong there, without a full stop.

    Args:
        error: from checking a layout; what our own validators say of it is Japanese already.
    """
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "全体"
    if first["type"] == "value_error":
        return f"{place}: {first['msg'].removeprefix('Value error, ')}"
    context: dict[str, Any] = first.get("ctx", {})
    context = context | {"expected": str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")}
    return f"{place}: {_SENTENCES.get(first['type'], '値が正しくありません').format(**context)}"
