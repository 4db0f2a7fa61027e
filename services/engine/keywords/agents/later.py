"""Approvals, plans, reflection, events that wake a conversation."""

from services.engine.keywords.planned import planned

APPROVALS = "approvals"
PLANS = "plans of agents"
WAKING = "events that wake a conversation"
REFLECTION = "reflection on answers"
ASK = "agents.ask"

KEYWORDS = (
    planned(
        "HUMAN APPROVAL",
        "agents",
        (
            "HUMAN APPROVAL FROM <who> [TIMEOUT <timeout:number>] [ON TIMEOUT: <action:anything>]",
            "HUMAN APPROVAL <what> FROM <who> [TIMEOUT <timeout:number>] [ON TIMEOUT: <action:anything>]",
        ),
        "Waits until a person says yes or no.",
        'decision = HUMAN APPROVAL FROM "manager@example.com" TIMEOUT 1800',
        APPROVALS,
        permission=ASK,
    ),
    planned(
        "REQUIRE APPROVAL",
        "agents",
        (
            "REQUIRE APPROVAL <what> [FROM <who>] [TIMEOUT <timeout:number>]",
            "REQUIRE APPROVAL <what>, <who> [, <reason>]",
            "REQUIRE APPROVAL FROM <who> [TIMEOUT <timeout:number>]",
        ),
        "Goes on only when a person agrees.",
        'REQUIRE APPROVAL "Refund of 500" FROM "manager@example.com"',
        APPROVALS,
        permission=ASK,
    ),
    planned(
        "WAIT FOR EVENT",
        "agents",
        ("WAIT FOR EVENT <event> [TIMEOUT <timeout:number>] [ON TIMEOUT: <action:anything>]",),
        "Waits until an event is published.",
        'WAIT FOR EVENT "payment_received" TIMEOUT 3600',
        WAKING,
    ),
    planned(
        "WAIT FOR RESPONSE",
        "agents",
        ("WAIT FOR RESPONSE [FROM <who>] [TIMEOUT <timeout:number>] [, <seconds:number>]",),
        "Waits for the answer of another bot or person.",
        'WAIT FOR RESPONSE FROM "billing" TIMEOUT 60',
        WAKING,
    ),
    planned(
        "BOT REFLECTION",
        "agents",
        ("BOT REFLECTION ON <metric:name>", "BOT REFLECTION <enabled:boolean>"),
        "Lets the bot judge its own answers.",
        "BOT REFLECTION TRUE",
        REFLECTION,
    ),
    planned(
        "BOT REFLECTION INSIGHTS",
        "agents",
        ("BOT REFLECTION INSIGHTS",),
        "Gives what the bot found when it judged its own answers.",
        "insights = BOT REFLECTION INSIGHTS()",
        REFLECTION,
    ),
    planned(
        "PLAN START",
        "agents",
        ("PLAN START [<plan:name>]",),
        "Begins the steps of a plan.",
        'PLAN START "move house"',
        PLANS,
    ),
    planned("PLAN END", "agents", ("PLAN END",), "Ends the steps of a plan.", 'PLAN START "a"\nPLAN END', PLANS),
    planned(
        "AUTO TASK",
        "agents",
        ("AUTO TASK <task> [, <options>]",),
        "Lets an agent work on something by itself.",
        'AUTO TASK "Build a page with our prices"',
        PLANS,
    ),
    planned(
        "OPTION",
        "agents",
        ("OPTION <choice:condition>", "OPTION <first:word> OR <second:word>"),
        "Offers an agent two ways to go on.",
        'OPTION "by train" OR "by plane"',
        PLANS,
    ),
)
