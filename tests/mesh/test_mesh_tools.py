"""A model behind a vendor's wire calls the tools of a bot, and works on texts; a stack of its own."""

import uuid

import pytest

from tests.doubles.openai_server import KEY, OpenAIDouble
from tests.mesh.mesh_talk import Talk
from tests.mesh.mesh_world import running

pytestmark = pytest.mark.mesh
WEATHER = """PARAM city AS STRING DESCRIPTION "Where"
DESCRIPTION "The weather."
RETURN "sunny in ${city}"
"""
START = """USE TOOL "weather"
USE MODEL "openai/tools"
BEGIN SYSTEM PROMPT
You are brief.
END SYSTEM PROMPT
TALK "ready"
"""
WORDS = (
    'USE MODEL "openai/double"\nTALK "ready"\nHEAR x\nTALK SUMMARIZE(x)\ny = LLM "one" WITH MAX_LATENCY 9000\nTALK y'
)


async def test_a_model_calls_a_tool_and_is_told_what_it_gave() -> None:
    double = OpenAIDouble(KEY)
    await double.start()
    settings = {
        "PARLEY_OPENAI_BASE_URL": double.base_url,
        "PARLEY_OPENAI_API_KEY": KEY,
        "PARLEY_OPENAI_MODEL": "double",
    }
    try:
        async with running(**settings) as mesh:
            for scripts in ({"start": START, "weather": WEATHER}, {"start": WORDS}):
                bot = f"t{uuid.uuid4().hex[:10]}"
                await mesh.ok("POST", f"/v1/bots?bot_id={bot}", {}, mesh.owner)
                files = [{"path": f"{name}.bas", "text": text} for name, text in scripts.items()]
                await mesh.ok("POST", f"/v1/bots/{bot}/versions", {"scripts": files}, mesh.owner)
                talk = await Talk.begin(mesh, bot)
                said = [message["text"] for message in await talk.say("How is it outside?")]
                if "weather" in scripts:
                    assert said == ["The tool gave: sunny in Lisboa"]
                    asked = next(item.body for item in double.requests if item.body.get("tools"))
                    assert asked["messages"][0] == {"role": "system", "content": "You are brief."}
                    assert asked["tools"][0]["function"]["parameters"]["required"] == ["city"]
                else:
                    assert said[0].startswith("You said: <text>\nHow is it outside?")
                    assert said[1] == "You said: one"
    finally:
        await double.stop()
