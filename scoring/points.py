"""Points (配点, 得点): exact decimals with at most two places."""

from __future__ import annotations

from decimal import Decimal

MAXIMUM_POINTS = Decimal("9999.99")
"""The most that one question can be worth; more is taken for a slip."""
_HUNDREDTH = Decimal("0.01")


def check_points(value: object) -> Decimal:
    """The points of a question, exact.

    Args:
        value: an int or a Decimal from 0 to `MAXIMUM_POINTS` with at most two decimals; never a float,
            which could not hold 0.1.

    Raises:
        ValueError: it is something else; the text is for the teacher.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError('配点は 0 以上の数で、" で囲まずに書いてください')  # noqa: TRY004  (pydantic collects ValueError)
    points = Decimal(value)
    if not points.is_finite() or points > MAXIMUM_POINTS:
        raise ValueError(f"配点は {MAXIMUM_POINTS} 以下の数にしてください")
    if points < 0:
        raise ValueError("配点がマイナスです。0 以上の数にしてください")
    if points % _HUNDREDTH != 0:
        raise ValueError("配点の小数は2桁までにしてください")
    return abs(points)  # a written -0 is 0


def format_points(points: Decimal) -> str:
    """Points as text: exact, without exponent or trailing zeros ("2", "2.5", "0.25").

    Raises:
        ValueError: the number is not finite.
    """
    if not points.is_finite():
        raise ValueError("points must be finite")
    text = format(points, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
