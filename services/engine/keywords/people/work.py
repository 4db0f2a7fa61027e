"""Tasks, appointments, teams, sites: what people do outside the conversation."""

from services.engine.keywords.keyword import Effect
from services.engine.keywords.planned import planned

TASKS, CALENDAR, TEAMS = "tasks", "a calendar", "teams of people"
BUILDER = "a builder of web sites"
WRITE = "people.write"
LOOK = "people.read"

KEYWORDS = (
    planned(
        "CREATE TASK",
        "people",
        (
            "CREATE TASK <title> [, <second>] [, <third>] [, <fourth>] [, <fifth>] [, <sixth>]",
            "CREATE TASK <title> FOR <assignee> [DUE <due>] [PRIORITY <priority>]",
            "CREATE TASK <title> WITH <fields:fields>",
        ),
        "Makes a task: title, assignee, due date and project, or title, description, assignee, due date and priority.",
        'CREATE TASK "Call Ana", "sales@example.com", "2026-12-01"',
        TASKS,
        permission=WRITE,
    ),
    planned(
        "ASSIGN SMART",
        "people",
        ("ASSIGN SMART <task> [, <people>] [, <load>]",),
        "Gives a task to whoever has the least to do.",
        'ASSIGN SMART task, ["ana@example.com", "rui@example.com"]',
        TASKS,
        permission=WRITE,
    ),
    planned(
        "REMINDER",
        "people",
        ("REMINDER <values:values>", "REMINDER <text> AT <when>"),
        "Reminds somebody of something at a time.",
        'REMINDER "Pay the rent", "2026-12-01 09:00"',
        CALENDAR,
        "CREATE REMINDER",
        "SET REMINDER",
        "ADD REMINDER",
        permission=WRITE,
    ),
    planned(
        "BOOK",
        "people",
        (
            "BOOK <title> [, <description>] [, <start>] [, <minutes>] [, <location>] [, <people>]",
            "BOOK <title> AT <start> [FOR <minutes>] [WITH <people>]",
        ),
        "Puts an appointment into the calendar: title, description, start, minutes, place.",
        'BOOK "Fitting", "First try", "2026-12-01 10:00", 45, "Shop"',
        CALENDAR,
        permission=WRITE,
    ),
    planned(
        "BOOK MEETING",
        "people",
        ("BOOK MEETING <meeting> [, <people>] [, <start>] [, <minutes>] [, <location>]",),
        "Puts a meeting into the calendars of several people.",
        'BOOK MEETING #{title: "Review", start: "2026-12-01 10:00"}, ["ana@example.com"]',
        CALENDAR,
        permission=WRITE,
    ),
    planned(
        "CHECK AVAILABILITY",
        "people",
        ("CHECK AVAILABILITY <first> [, <second>] [, <third>] [, <fourth>]",),
        "Gives the times at which somebody is free.",
        'free = CHECK AVAILABILITY "2026-12-01", 30',
        CALENDAR,
        effect=Effect.READ,
        permission=LOOK,
    ),
    planned(
        "ADD MEMBER",
        "people",
        ("ADD MEMBER <group>, <person> [, <role>]",),
        "Makes somebody a member of a group.",
        'ADD MEMBER "support", "ana@example.com", "editor"',
        TEAMS,
        permission=WRITE,
    ),
    planned(
        "CREATE TEAM",
        "people",
        ("CREATE TEAM <name> [, <members>] [, <workspace>]",),
        "Makes a team.",
        'CREATE TEAM "Support", ["ana@example.com", "rui@example.com"]',
        TEAMS,
        permission=WRITE,
    ),
    planned(
        "CREATE SITE",
        "people",
        ("CREATE SITE <alias> [, <template>] [, <prompt>]", "CREATE SITE <alias> WITH TEMPLATE <template>"),
        "Makes a web site from a template and words about it.",
        'CREATE SITE "spring", "landing", "A page about our spring sale."',
        BUILDER,
        permission=WRITE,
    ),
    planned(
        "WEBSITE OF",
        "people",
        ("WEBSITE OF <company>",),
        "Gives the address of a company's web site.",
        'address = WEBSITE OF "Example Ltd"',
        "a search of the web",
        effect=Effect.READ,
        permission="web.ask",
    ),
    planned(
        "CHANGE",
        "people",
        ("CHANGE <values:values>", "CHANGE <what> TO <value>"),
        "Changes a setting of the person.",
        'CHANGE "language" TO "pt"',
        "profiles of people",
        permission=WRITE,
    ),
)
