"""Weather: OpenWeatherMap with the bot's `weather-api-key`, Open-Meteo (which needs none) without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.engine.program.values import ProgramError, Value, look_up, number_of, text_of
from services.engine.web.port import Request

if TYPE_CHECKING:
    from services.engine.keywords.world import World
    from services.engine.web.port import Web

KEY, URL, PLACES_URL = "weather-api-key", "weather-url", "weather-places-url"
OPEN_WEATHER = "https://api.openweathermap.org"
OPEN_METEO = "https://api.open-meteo.com"
OPEN_METEO_PLACES = "https://geocoding-api.open-meteo.com"
CURRENT = "temperature_2m,apparent_temperature,relative_humidity_2m,wind_speed_10m,weather_code"
DAILY = "weather_code,temperature_2m_max,temperature_2m_min"
MOST_DAYS = 16
MOST_DAYS_KEYED = 5
# WMO code 4677, as far as Open-Meteo uses it: the lowest code of a kind, and the kind.
SKIES = (
    (0, "clear sky"), (1, "mainly clear"), (2, "partly cloudy"), (3, "overcast"), (45, "fog"), (51, "drizzle"),
    (56, "freezing drizzle"), (61, "rain"), (66, "freezing rain"), (71, "snow"), (80, "rain showers"),
    (85, "snow showers"), (95, "thunderstorm"),
)  # fmt: skip


async def weather(web: Web, world: World, place: str) -> Value:
    """Now: `{location, temperature (°C), feels_like, humidity (%), wind_speed (m/s), description, formatted}`."""
    key = world.config.get(KEY, "")
    found = await (keyed_now(web, world, place, key) if key else open_now(web, world, place))
    sentence = f"{found['location']}: {text_of(found['temperature'])} °C, {found['description']}"
    return {**found, "formatted": sentence}


async def forecast(web: Web, world: World, place: str, days: int) -> Value:
    """A list of days: `{date, min, max, description, formatted}`."""
    key = world.config.get(KEY, "")
    most = MOST_DAYS_KEYED if key else MOST_DAYS
    if not 1 <= days <= most:
        message = f"a forecast is for 1 to {most} days, {days} were asked for"
        raise ProgramError(message)
    found = await (keyed_days(web, world, place, key) if key else open_days(web, world, place, days))
    return [
        {**day, "formatted": f"{day['date']}: {text_of(day['min'])} to {text_of(day['max'])} °C, {day['description']}"}
        for day in found[:days]
    ]


async def asked(web: Web, world: World, url: str, query: dict[str, Value]) -> Value:
    """Parsed JSON. ProgramError in words without the key."""
    response = await web.ask(world, Request(method="GET", url=url, query=query, bare=True))
    if response["status"] in {400, 404}:
        message = "the weather service does not know the place"
        raise ProgramError(message)
    if response["status"] != 200 or not isinstance(response["data"], dict):
        message = f"the weather service answered {response['status']}: is weather-api-key in config.csv right?"
        raise ProgramError(message)
    return response["data"]


def at(value: Value, *path: str | int) -> Value:
    """A field of a field; NULL as soon as one is missing."""
    for step in path:
        value = look_up(value, step, optional=True)
    return value


async def keyed_now(web: Web, world: World, place: str, key: str) -> dict[str, Value]:
    """From OpenWeatherMap."""
    url = f"{world.config.get(URL) or OPEN_WEATHER}/data/2.5/weather"
    data = await asked(web, world, url, {"q": place, "appid": key, "units": "metric", "lang": world.locale[:2]})
    return {
        "location": at(data, "name") or place,
        "temperature": at(data, "main", "temp"),
        "feels_like": at(data, "main", "feels_like"),
        "humidity": at(data, "main", "humidity"),
        "wind_speed": at(data, "wind", "speed"),
        "description": text_of(at(data, "weather", 0, "description")),
    }


async def keyed_days(web: Web, world: World, place: str, key: str) -> list[dict[str, Value]]:
    """From OpenWeatherMap, which gives every third hour: put together by day."""
    url = f"{world.config.get(URL) or OPEN_WEATHER}/data/2.5/forecast"
    data = await asked(web, world, url, {"q": place, "appid": key, "units": "metric", "lang": world.locale[:2]})
    days: dict[str, dict[str, Value]] = {}
    for hour in at(data, "list") or []:
        low, high = number_of(at(hour, "main", "temp_min")), number_of(at(hour, "main", "temp_max"))
        date, sky = text_of(at(hour, "dt_txt"))[:10], text_of(at(hour, "weather", 0, "description"))
        day = days.setdefault(date, {"date": date, "min": low, "max": high, "description": sky})
        day["min"], day["max"] = min(day["min"], low), max(day["max"], high)
    return list(days.values())


async def place_of(web: Web, world: World, place: str) -> dict[str, Value]:
    """Where a place is. ProgramError."""
    url = f"{world.config.get(PLACES_URL) or world.config.get(URL) or OPEN_METEO_PLACES}/v1/search"
    data = await asked(web, world, url, {"name": place, "count": 1, "language": world.locale[:2] or "en"})
    found = at(data, "results", 0)
    if not isinstance(found, dict):
        message = f"the weather service does not know {place[:60]!r}"
        raise ProgramError(message)
    return found


async def open_data(web: Web, world: World, place: str, query: dict[str, Value]) -> tuple[str, Value]:
    """Name of the place and what Open-Meteo says of it."""
    where = await place_of(web, world, place)
    url = f"{world.config.get(URL) or OPEN_METEO}/v1/forecast"
    common = {"latitude": at(where, "latitude"), "longitude": at(where, "longitude"), "timezone": "auto"}
    return text_of(at(where, "name")) or place, await asked(web, world, url, {**common, **query})


async def open_now(web: Web, world: World, place: str) -> dict[str, Value]:
    """From Open-Meteo."""
    name, data = await open_data(web, world, place, {"current": CURRENT, "wind_speed_unit": "ms"})
    now = at(data, "current")
    return {
        "location": name,
        "temperature": at(now, "temperature_2m"),
        "feels_like": at(now, "apparent_temperature"),
        "humidity": at(now, "relative_humidity_2m"),
        "wind_speed": at(now, "wind_speed_10m"),
        "description": sky_of(at(now, "weather_code")),
    }


async def open_days(web: Web, world: World, place: str, days: int) -> list[dict[str, Value]]:
    """From Open-Meteo."""
    _, data = await open_data(web, world, place, {"daily": DAILY, "forecast_days": days})
    daily = at(data, "daily")
    return [
        {
            "date": date,
            "min": at(daily, "temperature_2m_min", index),
            "max": at(daily, "temperature_2m_max", index),
            "description": sky_of(at(daily, "weather_code", index)),
        }
        for index, date in enumerate(at(daily, "time") or [])
    ]


def sky_of(code: Value) -> str:
    """A code in words."""
    number = number_of(code)
    return next((words for lowest, words in reversed(SKIES) if number >= lowest), "")
