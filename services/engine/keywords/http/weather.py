"""WEATHER and FORECAST."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value, number_of, text_of
from services.engine.web.port import Web

DEFAULT_DAYS = 5
SOURCES = """With the key `weather-api-key` in config.csv OpenWeatherMap is asked, without it Open-Meteo, which needs
none. `weather-url` names another server that speaks like them."""


async def weather(world: World, arguments: Arguments) -> Value:
    """Now."""
    from services.engine.web.weather import weather as ask  # noqa: PLC0415 - check starts fast without it

    return await ask(world.port(Web), world, text_of(arguments["place"]))


async def forecast(world: World, arguments: Arguments) -> Value:
    """The days to come."""
    from services.engine.web.weather import forecast as ask  # noqa: PLC0415 - as above

    days = int(number_of(arguments.get("days", DEFAULT_DAYS), "a number of days"))
    return await ask(world.port(Web), world, text_of(arguments["place"]), days)


WEATHER = Keyword(
    name="WEATHER",
    group="http",
    summary="Gives the weather of a place: temperature, feels_like, humidity, wind_speed, description.",
    forms=("WEATHER <place>",),
    effect=Effect.READ,
    example='now = WEATHER "Lisbon"\nTALK now\nIF now.temperature > 25 THEN TALK "Bring water."',
    documentation=SOURCES,
    permission="web.ask",
    slow=True,
    perform=weather,
)
FORECAST = Keyword(
    name="FORECAST",
    group="http",
    summary="Gives the days to come: a list of date, min, max, description.",
    forms=("FORECAST <place> [, <days:number>]",),
    effect=Effect.READ,
    example='FOR EACH day IN FORECAST "Lisbon", 3\n  TALK day\nNEXT',
    documentation=SOURCES,
    permission="web.ask",
    slow=True,
    perform=forecast,
)
