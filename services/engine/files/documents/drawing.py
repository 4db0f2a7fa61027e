"""Cards and charts, drawn."""

import io
import math
from collections.abc import Iterator
from typing import Any

from services.engine.files.documents.fonts import picture_font
from services.engine.files.documents.images import opened_image
from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of

CARD = (1080, 1080)
CHART = (960, 600)
MARGIN, TOP, BOTTOM = 90, 80, 110
MOST_POINTS = 200
LEAST_SPAN = 1e-9
COLORS = ("#3366cc", "#dc6432", "#2e9e5b", "#8e44ad", "#d4a017", "#16808f", "#c0396b", "#6b7a8f")
INK, GRID = "#222222", "#dddddd"
STYLES = {"light": ("#ffffff", "#222222"), "dark": ("#1c2430", "#ffffff"), "warm": ("#f4e3d0", "#5a3212"),
          "cool": ("#dcecf4", "#12425a"), "modern": ("#3366cc", "#ffffff"), "minimal": ("#ffffff", "#222222"),
          "vibrant": ("#dc3264", "#ffffff"), "elegant": ("#20202a", "#e8d8a8")}  # fmt: skip
KINDS = {"bar": "bar", "column": "bar", "columns": "bar", "bars": "bar", "line": "line", "lines": "line",
         "area": "line", "pie": "pie", "donut": "pie", "doughnut": "pie"}  # fmt: skip


def card(picture: bytes, text: str, style: str = "", number: int = 0) -> bytes:
    """A square picture with words on it, as PNG. picture: empty for a plain ground. ProgramError."""
    from PIL import Image, ImageDraw, ImageOps  # noqa: PLC0415 - heavy

    names = list(STYLES)
    ground, ink = STYLES.get(style.lower(), STYLES[names[number % len(names)]])
    if picture:
        image = ImageOps.fit(opened_image(picture).convert("RGB"), CARD)
        image = Image.blend(image, Image.new("RGB", CARD, "black"), 0.45)
        ink = "#ffffff"
    else:
        image = Image.new("RGB", CARD, ground)
    draw = ImageDraw.Draw(image)
    font, lines = fitted(draw, text, CARD[0] - 160, CARD[1] - 240)
    step = font.size * 1.3
    top = (CARD[1] - step * len(lines)) / 2
    for number_of_line, line in enumerate(lines):
        draw.text((CARD[0] / 2, top + step * (number_of_line + 0.5)), line, ink, font, anchor="mm")
    return png(image)


def fitted(draw: Any, text: str, width: float, height: float) -> tuple[Any, list[str]]:  # noqa: ANN401
    """The largest letters with which the text fits, and its lines. ProgramError."""
    for size in (96, 80, 68, 56, 48, 40, 34, 28):
        font = picture_font(size, "b")
        lines = list(wrapped(draw, text, font, width))
        if len(lines) * size * 1.3 <= height and all(draw.textlength(line, font) <= width for line in lines):
            return font, lines
    message = "the text is too long for a card"
    raise ProgramError(message)


def wrapped(draw: Any, text: str, font: Any, width: float) -> Iterator[str]:  # noqa: ANN401
    """Lines no wider than width, broken between words."""
    for paragraph in text.splitlines()[:20]:
        line = ""
        for word in paragraph.split()[:300]:
            longer = f"{line} {word}".strip()
            if line and draw.textlength(longer, font) > width:
                yield line
                line = word
            else:
                line = longer
        yield line


def chart(kind: str, data: Value, title: str = "") -> bytes:
    """A chart as PNG. kind: bar, line or pie; data: {label: number}, [number], [{label, value ...}]. ProgramError."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - heavy

    drawn = KINDS.get(kind.strip().lower())
    if drawn is None:
        message = f"CHART draws bar, line or pie, not {kind[:40]!r}"
        raise ProgramError(message)
    labels, series = points(data)
    image = Image.new("RGB", CHART, "white")
    draw = ImageDraw.Draw(image)
    draw.text((CHART[0] / 2, 36), title[:80], INK, picture_font(28, "b"), anchor="mm")
    if drawn == "pie":
        pie(draw, labels, next(iter(series.values())))
    else:
        axes(draw, labels, series, drawn)
    return png(image)


def points(data: Value) -> tuple[list[str], dict[str, list[float]]]:
    """Labels, and numbers by the name of their series. ProgramError."""
    if isinstance(data, dict) and isinstance(data.get("labels"), list):
        values = data.get("values", data.get("data", []))
        series = values if isinstance(values, dict) else {"": values}
        return checked([text_of(item) for item in data["labels"]], series)
    if isinstance(data, dict):
        return checked(list(data), {"": list(data.values())})
    if not isinstance(data, list) or not data:
        message = "CHART needs numbers: an object, a list of numbers, or rows"
        raise ProgramError(message)
    if not all(isinstance(row, dict) for row in data):
        return checked([str(place) for place in range(1, len(data) + 1)], {"": data})
    return of_rows(data)


def of_rows(rows: list[dict[str, Value]]) -> tuple[list[str], dict[str, list[float]]]:
    """The first column that is no number gives labels, each that is one a series."""
    numeric = [key for key in rows[0] if all(is_number(row.get(key)) for row in rows)]
    words = [key for key in rows[0] if key not in numeric]
    label = words[0] if words else numeric[0] if len(numeric) > 1 else ""
    series = {key: [row.get(key) for row in rows] for key in numeric if key != label}
    return checked([text_of(row.get(label, place)) for place, row in enumerate(rows, 1)], series)


def checked(labels: list[str], series: dict[str, Any]) -> tuple[list[str], dict[str, list[float]]]:
    """Numbers, as many as labels. ProgramError."""
    found: dict[str, list[float]] = {}
    for name, values in series.items():
        if not isinstance(values, list) or len(values) != len(labels):
            message = "CHART needs as many numbers as labels"
            raise ProgramError(message)
        found[text_of(name)] = [float(number_of(value)) for value in values]
    if not labels or not found or len(labels) > MOST_POINTS or len(found) > len(COLORS):
        message = f"CHART draws 1 to {MOST_POINTS} points of up to {len(COLORS)} series of numbers"
        raise ProgramError(message)
    return labels, found


def axes(draw: Any, labels: list[str], series: dict[str, list[float]], kind: str) -> None:  # noqa: ANN401
    """Bars or lines over a scale."""
    numbers = [value for values in series.values() for value in values]
    low, high, step = scale(min(0.0, *numbers), max(0.0, *numbers))
    small = picture_font(15)

    def height(value: float) -> float:
        return CHART[1] - BOTTOM - (value - low) / (high - low) * (CHART[1] - TOP - BOTTOM)

    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        draw.line([(MARGIN, height(value)), (CHART[0] - 30, height(value))], GRID)
        draw.text((MARGIN - 10, height(value)), f"{value:,.10g}", INK, small, anchor="rm")
    room = (CHART[0] - 30 - MARGIN) / len(labels)
    every = max(1, math.ceil(max(draw.textlength(label[:14], small) for label in labels) / room))
    for place, label in enumerate(labels):
        if place % every == 0:
            draw.text((MARGIN + room * (place + 0.5), CHART[1] - BOTTOM + 18), label[:14], INK, small, anchor="mm")
    for at, values in enumerate(series.values()):
        (bars if kind == "bar" else line)(draw, values, (at, len(series)), room, height)
    legend(draw, list(series))


def bars(draw: Any, values: list[float], which: tuple[int, int], room: float, height: Any) -> None:  # noqa: ANN401
    """Bars beside each other."""
    width = room * 0.8 / which[1]
    for place, value in enumerate(values):
        left = MARGIN + room * (place + 0.1) + width * which[0]
        top, bottom = sorted((height(value), height(0.0)))
        draw.rectangle([left, top, left + max(width - 1, 1), bottom], COLORS[which[0]])


def line(draw: Any, values: list[float], which: tuple[int, int], room: float, height: Any) -> None:  # noqa: ANN401
    """Points and what joins them."""
    places = [(MARGIN + room * (place + 0.5), height(value)) for place, value in enumerate(values)]
    draw.line(places, COLORS[which[0]], 3, joint="curve")
    for x, y in places:
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], COLORS[which[0]])


def pie(draw: Any, labels: list[str], values: list[float]) -> None:  # noqa: ANN401
    """Slices, with their shares beside them."""
    whole = sum(values)
    if whole <= 0 or min(values) < 0:
        message = "a pie needs numbers above zero"
        raise ProgramError(message)
    start = -90.0
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        color = COLORS[place % len(COLORS)]
        draw.pieslice([80, 100, 500, 520], start, start + 360 * value / whole, color, "white", 2)
        start += 360 * value / whole
        if place < 15:
            draw.rectangle([560, 106 + 28 * place, 578, 124 + 28 * place], color)
            text = f"{label[:24]}  {100 * value / whole:.1f} %"
            draw.text((588, 115 + 28 * place), text, INK, picture_font(16), anchor="lm")


def legend(draw: Any, names: list[str]) -> None:  # noqa: ANN401
    """Which color is what."""
    x = float(MARGIN)
    font = picture_font(15)
    for color, name in zip(COLORS, names, strict=False):
        if name:
            draw.rectangle([x, CHART[1] - 42, x + 14, CHART[1] - 28], color)
            draw.text((x + 20, CHART[1] - 35), name[:24], INK, font, anchor="lm")
            x += 44 + draw.textlength(name[:24], font)


def scale(low: float, high: float) -> tuple[float, float, float]:
    """Round ends and steps that hold both."""
    span = high - low if high - low > LEAST_SPAN else 1.0
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * size for size in (1, 2, 2.5, 5, 10) if power * size >= rough * 0.999)
    return math.floor(low / step) * step, (math.floor(high / step) + 1) * step, step


def png(image: Any) -> bytes:  # noqa: ANN401
    """The file."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
