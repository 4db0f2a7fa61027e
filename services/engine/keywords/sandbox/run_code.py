"""RUN PYTHON, RUN JAVASCRIPT, RUN BASH: code in the sandbox."""

from services.engine.files.port import Files
from services.engine.keywords.keyword import Arguments, Effect, Keyword, Perform
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.sandbox.configured import folders_of, limits_of
from services.engine.sandbox.port import Job, Language, Sandbox

DOCUMENTATION = """The code runs in a process of its own, without network, with the standard library of its language.
It finds a value given behind the comma in the variable `input` (Bash: as JSON). What it assigns to the variable
`result` is the value; else the last line it prints if that is JSON; else all that it prints. It may write to the
current folder, which is empty at first and gone afterwards.

`config.csv`: `sandbox-enabled` (true), `sandbox-timeout` (30 seconds), `sandbox-memory-mb` (256), `sandbox-cpu-percent`
(50, of one processor on average), `sandbox-allowed-paths` (further names of the current folder)."""


def running(language: Language) -> Perform:
    """A keyword's action: run code of a language."""

    async def run(world: World, arguments: Arguments) -> Value:
        sandbox = world.port(Sandbox)
        job = Job(
            language=language,
            limits=limits_of(world.config),
            folders=folders_of(world.config),
            code=await _code(world, arguments),
            input=arguments.get("input"),
        )
        outcome = await sandbox.run(job)
        if outcome.error:
            message = f"RUN {language.upper()}: {outcome.error}"
            raise ProgramError(message)
        return outcome.output.rstrip("\r\n") if outcome.result is None else outcome.result

    return run


async def _code(world: World, arguments: Arguments) -> str:
    if "file" not in arguments:
        return text_of(arguments["code"])
    path = text_of(arguments["file"])
    content = await world.port(Files).read(world, path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path}: expected code as UTF-8 text"
        raise ProgramError(message) from error


def _keyword(language: Language, title: str, example: str) -> Keyword:
    name = f"RUN {language.upper()}"
    return Keyword(
        name=name,
        group="sandbox",
        summary=f"Runs {title} code in the sandbox and gives its result.",
        forms=(f"{name} WITH FILE <file> [, <input>]", f"{name} <code> [, <input>]"),
        effect=Effect.WRITE,
        example=example,
        documentation=DOCUMENTATION,
        permission="sandbox.run",
        slow=True,
        perform=running(language),
    )


RUN_PYTHON = _keyword(Language.PYTHON, "Python", 'total = RUN PYTHON "result = sum(input)", [1, 2, 3]')
RUN_JAVASCRIPT = _keyword(Language.JAVASCRIPT, "JavaScript", 'text = RUN JAVASCRIPT "result = input.join()", [1, 2]')
RUN_BASH = _keyword(Language.BASH, "shell", 'lines = RUN BASH "seq 1 3 | wc -l"')
