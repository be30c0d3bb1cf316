"""The README's pictures, as SVG that is the same for the same numbers, and readable on light and on dark pages."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from bench.goals import FULL_HALL, HALL, SERVERS, Found
from bench.result import Parameters, Result
from bench.table import number

INK = "#757e88"  # grey enough for either background
COLOURS = {"hub": "#2da44e", "rooms": "#0969da", "topics": "#8250df", "Socket.IO": "#d4762c", "nchan": "#bf3989"}
OTHERS = "#8c959f"  # the tutorial, and servers without an application
PALE = 0.45
COMMAS, PLAIN = StrMethodFormatter("{x:,.0f}"), StrMethodFormatter("{x:g}")
mpl.rcParams.update(
    {
        "svg.hashsalt": "bench",
        "font.family": "DejaVu Sans",
        "font.size": 9,
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    }
)


def draw(folder: Path, results: Sequence[Result]) -> None:
    """Each picture for which there are results."""
    found = Found(results)
    pictures: dict[str, Callable[[Found], Figure | None]] = {
        "fanout": fanout,
        "memory": memory,
        "acks": acks,
        "curves": curves,
    }
    for name, picture in pictures.items():
        if figure := picture(found):
            figure.savefig(folder / f"{name}.svg", transparent=True, metadata={"Date": None, "Creator": None})


def fanout(found: Found) -> Figure | None:
    few, many = (by_contender(found, "fanout", "deliveries_per_s", crowd) for crowd in (HALL, FULL_HALL))
    if not few:
        return None
    names = sorted(few, key=few.__getitem__)
    figure, axes = sheet(0.34 * len(names) + 1.1)
    for height, name in enumerate(names):
        axes.barh(height, many.get(name, 0), 0.62, color=colour(name), alpha=PALE, linewidth=0)
        axes.barh(height, few[name], 0.62, color=colour(name), linewidth=0)
        label(axes, height, max(few[name], many.get(name, 0)), number(few[name], 2))
    axes.set_xscale("log")
    axes.set_xlim(left=1_000, right=6 * max([*few.values(), *many.values()]))
    axes.xaxis.set_major_formatter(COMMAS)
    axes.set_xlabel("deliveries a second to 200 sockets in one room; 8 messages in flight, pale: 64")
    name_bars(axes, names)
    return figure


def memory(found: Found) -> Figure | None:
    sizes = by_contender(found, "memory", "kb_per_socket", {})
    if not sizes:
        return None
    names = sorted(sizes, key=sizes.__getitem__, reverse=True)
    figure, axes = sheet(0.3 * len(names) + 1.1)
    for height, name in enumerate(names):
        axes.barh(height, sizes[name], 0.62, color=colour(name), linewidth=0)
        label(axes, height, sizes[name], number(sizes[name], 2))
    axes.set_xlim(right=1.12 * max(sizes.values()))
    axes.set_xlabel("KB of resident memory for each idle socket")
    name_bars(axes, names)
    return figure


def acks(found: Found) -> Figure | None:
    crowd: Parameters = {"writers": 50, "rooms": 50, "load": "full"}
    rates = by_contender(found, "durable", "acked_per_s", crowd)
    names = [name for server in reversed(SERVERS) for name in (f"one insert a message, {server}", f"rooms, {server}")]
    names = [name for name in names if name in rates]
    if not names:
        return None
    figure, axes = sheet(0.34 * len(names) + 1.1)
    for height, name in enumerate(names):
        axes.barh(height, rates[name], 0.62, color=colour(name), linewidth=0)
        label(axes, height, rates[name], number(rates[name], 2))
    axes.set_xlim(right=1.15 * max(rates.values()))
    axes.xaxis.set_major_formatter(COMMAS)
    axes.set_xlabel("messages stored and acknowledged a second, 50 writers in 50 rooms, fsync on")
    name_bars(axes, names)
    return figure


def curves(found: Found) -> Figure | None:
    drawn = [result for result in found.results if result.scenario == "curves" and result.values]
    grows = list(dict.fromkeys(str(result.parameters["grows"]) for result in drawn))
    if not grows:
        return None
    figure = Figure(figsize=(7.6, 2.9), layout="constrained")
    panels = figure.subplots(1, len(grows), sharey=True, squeeze=False)[0]
    for axes, what in zip(panels, grows, strict=True):
        for result in drawn:
            if result.parameters["grows"] == what:
                curve(axes, result, labelled=what == grows[0])
        axes.set_title(f"{what} ×", fontsize=9)
        plain(axes)
    figure.axes[0].set_ylabel("CPU seconds a second")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure


def curve(axes: Axes, result: Result, labelled: bool) -> None:
    costs = {int(name.rpartition("_")[2]): value for name, value in result.values.items() if name.startswith("cpu_")}
    style = "-o" if result.contender.endswith("uvicorn") else "--s"
    name = result.contender if labelled else None
    axes.loglog(costs.keys(), costs.values(), style, color=colour(result.contender), label=name, markersize=3)
    axes.set_xticks(list(costs), [str(factor) for factor in costs])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def by_contender(found: Found, scenario: str, value: str, parameters: Parameters) -> dict[str, float]:
    names = dict.fromkeys(result.contender for result in found.results if result.scenario == scenario)
    values = {name: found(scenario, name, value, parameters) for name in names}
    return {name: measured for name, measured in values.items() if measured is not None}


def colour(name: str) -> str:
    return next((shade for beginning, shade in COLOURS.items() if name.startswith(beginning)), OTHERS)


def sheet(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.6, height), layout="constrained")
    return figure, figure.subplots()


def label(axes: Axes, height: float, end: float, text: str) -> None:
    axes.annotate(text, (end, height), (4, 0), textcoords="offset points", va="center", fontsize=8)


def name_bars(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    plain(axes)


def plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
