"""Steps of workflows: the parser has them built in."""

from services.engine.keywords.language.statements import statement

KEYWORDS = (
    statement(
        "STEP",
        ("STEP <number>: <statement>",),
        "Names a step of a workflow; what it does stands behind the colon.",
        'ORCHESTRATE WORKFLOW "orders"\nSTEP 1: BOT "stock" "Is tea there?"',
        "agents",
    ),
    statement(
        "PARALLEL",
        ("PARALLEL",),
        "Holds branches of a workflow, up to END PARALLEL; they are done one after the other.",
        'STEP 1: PARALLEL\n  BRANCH A: BOT "legal" "Check it."\n  BRANCH B: BOT "stock" "Count it."\nEND PARALLEL',
        "agents",
    ),
    statement(
        "BRANCH",
        ("BRANCH <name>: <statement>",),
        "Names a branch of PARALLEL; what it does stands behind the colon.",
        'PARALLEL\n  BRANCH A: BOT "legal" "Check it."\nEND PARALLEL',
        "agents",
    ),
)
