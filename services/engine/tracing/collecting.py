"""Steps of a turn as they are kept: bounded in number and size, without secrets."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.engine.machine.outcomes import EffectError, EffectResult, TraceEvent
from services.engine.program.program import Node, Program
from services.engine.program.values import Value

KEY = "trace"
"""A bot's configuration: its turns are traced when this is on."""
ON = frozenset({"on", "true", "1", "yes"})
MOST_STEPS = 2000
LARGEST_TRACE = 262_144
LONGEST_TEXT = 500
MOST_ITEMS = 20
DEEPEST = 4
LEAST_SECRET = 4
HIDDEN = "•••"
SECRET = re.compile(
    r"pass(word|wd|phrase)?$|pwd|secret|token|api[-_ ]?key|authorization|credential|cookie|^pin$|cvv", re.IGNORECASE
)


def wanted(config: Mapping[str, str]) -> bool:
    """Whether a bot's turns are traced."""
    return config.get(KEY, "").strip().lower() in ON


class Collector:
    """Takes the events of one turn."""

    def __init__(self, programs: Mapping[str, Program], config: Mapping[str, str]) -> None:
        self._programs = programs
        self._size = 0
        self._secrets = {value for name, value in config.items() if SECRET.search(name) and len(value) >= LEAST_SECRET}
        self.steps: list[dict[str, Any]] = []
        self.dropped = 0

    def know(self, variables: Mapping[str, Value], depth: int = DEEPEST) -> None:
        """Secrets that the script holds already, from turns before."""
        for name, value in variables.items():
            if SECRET.search(name):
                self._learn(value)
            elif isinstance(value, dict) and depth > 0:
                self.know(value, depth - 1)

    def take(self, event: TraceEvent) -> None:
        """A step that was made."""
        node = self._node(event)
        names = [name for name in (target_of(node), str(node.get("type", ""))) if name]
        secret = any(SECRET.search(name) for name in names)
        if secret:
            self._learn(event.output)
            self._learn(written_out(node))
        step = {
            "script": event.program,
            "line": event.line,
            "node": event.node,
            "operation": event.op,
            "keyword": str(node.get("keyword", "")),
            "input": self._shown(event.input),
            "output": HIDDEN if secret and event.output is not None else self._shown(event.output),
            "milliseconds": round(event.milliseconds, 3),
            "error": self._masked(event.error)[:LONGEST_TEXT],
        }
        self._keep(step)

    def result(self, found: EffectResult | EffectError) -> None:
        """What the effect of the last step gave."""
        if not self.steps or self.dropped:
            return
        if isinstance(found, EffectError):
            self.steps[-1]["error"] = self._masked(found.message)[:LONGEST_TEXT]
        else:
            self.steps[-1]["output"] = self._shown(found.value)

    def _keep(self, step: dict[str, Any]) -> None:
        self._size += len(json.dumps(step, ensure_ascii=False).encode())
        if len(self.steps) >= MOST_STEPS or self._size > LARGEST_TRACE:
            self.dropped += 1
        else:
            self.steps.append(step)

    def _node(self, event: TraceEvent) -> Node:
        program = self._programs.get(event.program)
        return program.nodes.get(event.node, {}) if program is not None else {}

    def _learn(self, value: Value) -> None:
        """A secret is one wherever it turns up again."""
        if isinstance(value, str) and len(value) >= LEAST_SECRET:
            self._secrets.add(value)

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def _shown(self, value: Value, depth: int = DEEPEST) -> Value:
        """A value, shortened and without secrets."""
        if isinstance(value, str):
            text = self._masked(value)
            return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"
        if isinstance(value, list | dict) and depth <= 0:
            return f"… ({len(value)} items)"
        if isinstance(value, list):
            more = [f"… ({len(value)} items)"] if len(value) > MOST_ITEMS else []
            return [self._shown(item, depth - 1) for item in value[:MOST_ITEMS]] + more
        if isinstance(value, dict):
            return dict(self._pairs(value, depth))
        return value

    def _pairs(self, value: Mapping[str, Value], depth: int) -> Iterator[tuple[str, Value]]:
        for index, (name, item) in enumerate(value.items()):
            if index >= MOST_ITEMS:
                yield "…", f"{len(value)} items"
                return
            if SECRET.search(name):
                self._learn(item)
                yield name[:LONGEST_TEXT], HIDDEN
            else:
                yield name[:LONGEST_TEXT], self._shown(item, depth - 1)


def target_of(node: Node) -> str:
    """The variable or field a node writes."""
    target = node.get("target") or node.get("into")
    if not isinstance(target, list):
        return ""
    if target[0] == "var":
        return str(target[1])
    key = target[2] if len(target) > 2 else None
    return str(key[1]) if isinstance(key, list) and key[0] == "lit" else ""


def written_out(node: Node) -> Value:
    """The literal a node stores."""
    value = node.get("value")
    return value[1] if isinstance(value, list) and value[:1] == ["lit"] else None
