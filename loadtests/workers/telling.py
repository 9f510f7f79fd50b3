"""Tables and verdicts of the bench of several workers."""

import statistics
from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; the first column to the left, all others to the right."""
    lines = [list(map(str, header)), *([_cell(each) for each in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        first, *rest = (
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  " + "  ".join([first, *rest]).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def spread(values: Sequence[float]) -> str:
    """The median, with the lowest and the highest beside it."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{_cell(middle)} ({_cell(low)} to {_cell(high)})"


def verdict(text: str, holds: bool) -> bool:
    """Print whether a goal is reached; the same."""
    print(f"  {text}: {'reached' if holds else 'MISSED'}")
    return holds
