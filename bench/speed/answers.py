"""Free text: session, engine, kb and llm, with a double of a model behind the OpenAI-compatible provider."""

import itertools
import json
import time

import aiohttp

from bench.speed.figures import Figure, middle, percentile
from bench.speed.turns import WARM_SECONDS, gather_people
from bench.speed.workbench import Workbench
from cli.deploy import deploy_all
from cli.stack.layout import ROOT
from cli.stack.stack import Stack

PEOPLE, OFFERED, CALLS = 32, 50, 200
TOPICS = ("delivery", "returns", "opening hours", "payment", "guarantee", "contact", "what Parley is", "channels")
FORMS = ("Tell me about {}", "What do you know of {}?", "I have a question on {}", "Explain {} to me, please")
SCRIPT_BOT = "hello"


async def deploy(stack: Stack) -> None:
    """The example package, with its documents."""
    await deploy_all(stack, ROOT / "bots")


async def own_time(address: str) -> float:
    """Median seconds of the double itself, asked as the provider asks it."""
    body = {"model": "double", "stream": True, "messages": [{"role": "user", "content": "Tell me about delivery"}]}
    headers = {"authorization": "Bearer sk-double"}
    times = []
    async with aiohttp.ClientSession() as client:
        for _ in range(CALLS):
            began = time.perf_counter()
            async with client.post(f"{address}/chat/completions", data=json.dumps(body), headers=headers | JSON) as got:
                got.raise_for_status()
                await got.read()
            times.append(time.perf_counter() - began)
    return middle(times)


JSON = {"content-type": "application/json"}


async def figures(bench: Workbench, seconds: float, double: str) -> list[Figure]:
    """Latency at 50 a second, then as many as go; questions repeat, as people's do."""
    await bench.publish("bench-free", 'TALK "ask"\n')
    await deploy(bench.stack)
    asked = itertools.cycle([form.format(topic) for form in FORMS for topic in TOPICS])
    crowd = await gather_people(bench, "bench-free", PEOPLE)
    model = await own_time(double)
    await crowd.flood(WARM_SECONDS, lambda: next(asked))
    steady = await crowd.offer(OFFERED, seconds, lambda: next(asked))
    flood, lasted = await crowd.flood(seconds, lambda: next(asked))
    crowd.close()
    return [
        Figure(
            "answers", "p50 at 50/s without the model's", (middle(steady) - model) * 1000, "ms", aim=20, at_most=True
        ),
        Figure("answers", "p99 at 50/s", percentile(steady, 0.99) * 1000, "ms"),
        Figure("answers", "the model's own p50", model * 1000, "ms"),
        Figure("answers", "sustained", len(flood) / lasted, "turns/s", aim=200),
    ]
