"""Results as tables of Markdown."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from bench.result import NOT_ASKED, Parameters, Result

Row = Sequence[str]


def pivot(results: Sequence[Result], value: str, *, fixed: Parameters | None = None, digits: int = 3) -> str:
    """A row for each contender, a column for each set of parameters, in each cell the one value."""
    chosen = [result for result in results if (fixed or {}).items() <= result.parameters.items()]
    columns = list(dict.fromkeys(heading(result.parameters) for result in chosen))
    cells = {(result.contender, heading(result.parameters)): cell(result, value, digits) for result in chosen}
    contenders = dict.fromkeys(result.contender for result in chosen)
    rows = [[name, *(cells.get((name, column), "") for column in columns)] for name in contenders]
    return markdown(["", *columns], rows)


def rows(results: Sequence[Result], values: Sequence[str] = (), digits: int = 3) -> str:
    """A row for each result, with its parameters and all, or these, of its values."""
    parameters = list(dict.fromkeys(name for result in results for name in result.parameters))
    shown = list(values) or list(dict.fromkeys(name for result in results for name in result.values))
    body = [
        [
            result.contender,
            *(number(result.parameters.get(name, ""), digits) for name in parameters),
            *(cells(result, shown, digits)),
        ]
        for result in results
    ]
    return markdown(["", *map(words, parameters), *map(words, shown)], body)


def cells(result: Result, values: Sequence[str], digits: int) -> list[str]:
    if result.refused:
        return [reason(result), *[""] * (len(values) - 1)]
    return [number(result.values.get(name, ""), digits) for name in values]


def cell(result: Result, value: str, digits: int) -> str:
    return reason(result) if result.refused else number(result.values[value], digits)


def reason(result: Result) -> str:
    """Why there is no number: nobody asked, or what was delivered was wrong."""
    if result.refused.startswith(NOT_ASKED):
        return result.refused.replace(": ", " (", 1) + ")"
    return f"refused: {result.refused}".replace("|", "/").replace("\n", " ")


def number(value: float | str, digits: int = 3) -> str:
    """As many digits as mean something, and commas."""
    if isinstance(value, str):
        return value
    rounded = float(f"{value:.{digits}g}") + 0.0
    return f"{rounded:,.0f}" if rounded == int(rounded) or abs(rounded) >= 100 else f"{rounded:,}"


def heading(parameters: Parameters) -> str:
    return ", ".join(f"{number(value, 6)} {words(name)}" for name, value in parameters.items())


UNITS = {"s": "s", "ms": "ms", "us": "µs", "kb": "KB", "mb": "MB", "cpu": "CPU"}


def words(name: str) -> str:
    """deliveries_per_s → deliveries/s, cpu_us_per_delivery → CPU µs/delivery, p99_ms → p99 ms."""
    return " ".join(UNITS.get(word, word) for word in name.split("_")).replace(" per ", "/")


def markdown(head: Row, body: Iterable[Row]) -> str:
    """Its columns are as wide as they are for a reader of the text, too."""
    lines = [head, *body]
    first, *others = (max(4, *map(len, column)) for column in zip_longest(*lines, fillvalue=""))
    lines.insert(1, ["-" * first, *("-" * (width - 1) + ":" for width in others)])
    return "\n".join(f"| {' | '.join([line[0].ljust(first), *map(str.rjust, line[1:], others)])} |" for line in lines)
