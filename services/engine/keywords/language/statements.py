"""Statements that the parser has built in, described for the manual, hover and completion."""

from services.engine.keywords.keyword import Effect, Keyword


def statement(name: str, forms: tuple[str, ...], summary: str, example: str, group: str = "language") -> Keyword:
    """A statement of the language."""
    return Keyword(
        name=name, group=group, summary=summary, forms=forms, effect=Effect.STATE, example=example, syntax=True
    )


KEYWORDS = (
    statement("TALK", ("TALK <text>",), "Says something to the person.", 'TALK "Hello, ${name}."', "dialog"),
    statement(
        "BEGIN TALK",
        ("BEGIN TALK",),
        "Says the lines up to END TALK as they are written; ${...} is filled in.",
        "BEGIN TALK\nHello **${name}**,\nhow are you?\nEND TALK",
        "dialog",
    ),
    statement(
        "HEAR",
        ("HEAR <variable> [AS <type>]", "HEAR <variable> AS <choices:values>", "HEAR <variable> AS <type> <prompt>"),
        "Waits for an answer; with a type, asks again until it fits, three times at most.",
        'HEAR age AS INTEGER\nHEAR drink AS "Tea", "Coffee"',
        "dialog",
    ),
    statement("WAIT", ("WAIT <seconds:number>",), "Pauses, 300 seconds at most.", "WAIT 2", "dialog"),
    statement("LET", ("LET <variable> = <value>",), "Gives a variable a value; LET may be left out.", "total = 2 * 3"),
    statement("SET", ("SET <variable> = <value>",), "Gives a variable a value.", 'SET name = "Ana"'),
    statement(
        "DIM", ("DIM <variable> [AS <type>]",), "Names a variable; ARRAY and OBJECT begin empty.", "DIM items AS ARRAY"
    ),
    statement("CONST", ("CONST <variable> = <value>",), "Gives a name a value.", "CONST rate = 0.2"),
    statement(
        "IF",
        ("IF <condition> THEN", "IF <condition> THEN <statement> [ELSE <statement>]"),
        "Does one thing or another.",
        'IF age < 18 THEN\n  TALK "Too young."\nELSE IF age < 65 THEN\n  TALK "Welcome."\nEND IF',
    ),
    statement("ELSE", ("ELSE",), "What is done when no condition held.", "IF a THEN\n  TALK 1\nELSE\n  TALK 2\nEND IF"),
    statement(
        "ELSEIF",
        ("ELSEIF <condition> THEN", "ELSE IF <condition> THEN"),
        "Another condition.",
        "IF a THEN\nELSEIF b THEN\nEND IF",
    ),
    statement("END IF", ("END IF",), "Closes IF.", "IF a THEN\n  TALK 1\nEND IF"),
    statement(
        "FOR",
        ("FOR <variable> = <first> TO <last> [STEP <step>]",),
        "Counts.",
        'FOR i = 1 TO 3\n  TALK "${i}"\nNEXT',
    ),
    statement(
        "FOR EACH",
        ("FOR EACH <variable> IN <items>",),
        "Goes through a list, the keys of an object, or what a table gave.",
        "FOR EACH item IN basket\n  TALK item.name\nNEXT",
    ),
    statement("NEXT", ("NEXT [<variable>]",), "Closes FOR and FOR EACH.", "FOR i = 1 TO 2\nNEXT i"),
    statement("END FOR", ("END FOR",), "Closes FOR and FOR EACH.", "FOR EACH x IN y\nEND FOR"),
    statement("WHILE", ("WHILE <condition>",), "Repeats while a condition holds.", "WHILE n > 0\n  n = n - 1\nWEND"),
    statement("WEND", ("WEND",), "Closes WHILE.", "WHILE n > 0\n  n = n - 1\nWEND"),
    statement("END WHILE", ("END WHILE",), "Closes WHILE.", "WHILE n > 0\n  n = n - 1\nEND WHILE"),
    statement(
        "DO",
        ("DO", "DO WHILE <condition>", "DO UNTIL <condition>"),
        "Repeats; the condition stands at its beginning or at its end.",
        "DO\n  HEAR guess AS INTEGER\nLOOP UNTIL guess = 7",
    ),
    statement(
        "LOOP",
        ("LOOP", "LOOP WHILE <condition>", "LOOP UNTIL <condition>"),
        "Closes DO.",
        "DO\n  n = n + 1\nLOOP WHILE n < 3",
    ),
    statement(
        "SELECT CASE",
        ("SELECT CASE <value>", "SELECT <value>"),
        "Chooses by a value: single ones, several, ranges, comparisons.",
        'SELECT CASE age\n  CASE 0 TO 17\n    TALK "young"\n  CASE IS > 64\n    TALK "old"\n'
        '  CASE ELSE\n    TALK "between"\nEND SELECT',
    ),
    statement(
        "SWITCH",
        ("SWITCH <value>",),
        "Chooses by a value.",
        'SWITCH drink\n  CASE "Tea", "Coffee"\n    TALK "hot"\n  DEFAULT\n    TALK "cold"\nEND SWITCH',
    ),
    statement(
        "CASE",
        ("CASE <values:values>", "CASE <low> TO <high>", "CASE ELSE"),
        "One of several values.",
        "SELECT CASE a\nCASE 1\n  TALK 1\nEND SELECT",
    ),
    statement("DEFAULT", ("DEFAULT",), "What is done when no value fits.", "SWITCH a\nDEFAULT\n  TALK 1\nEND SWITCH"),
    statement("END SELECT", ("END SELECT",), "Closes SELECT CASE.", "SELECT CASE a\nCASE 1\n  TALK 1\nEND SELECT"),
    statement("END SWITCH", ("END SWITCH",), "Closes SWITCH.", "SWITCH a\nCASE 1\n  TALK 1\nEND SWITCH"),
    statement(
        "SUB",
        ("SUB <name>",),
        "Lines with a name, called from elsewhere; parameters are its own, other variables are the script's.",
        'SUB greet(who)\n  TALK "Hello, ${who}."\nEND SUB\nCALL greet("Ana")',
    ),
    statement(
        "FUNCTION",
        ("FUNCTION <name>",),
        "A SUB that gives a value.",
        "FUNCTION twice(n)\n  RETURN n * 2\nEND FUNCTION\nTALK twice(4)",
    ),
    statement("END SUB", ("END SUB",), "Closes SUB.", "SUB a()\nEND SUB"),
    statement("END FUNCTION", ("END FUNCTION",), "Closes FUNCTION.", "FUNCTION a()\n  RETURN 1\nEND FUNCTION"),
    statement(
        "CALL",
        ("CALL <name>", "CALL <script:text>"),
        "Calls a SUB or FUNCTION, or runs another script of the package.",
        'CALL greet("Ana")\nCALL "checkout.bas"',
    ),
    statement(
        "INCLUDE",
        ("INCLUDE <script:text>",),
        "Makes the subroutines of another script known here.",
        'INCLUDE "common.bas"',
    ),
    statement(
        "RETURN",
        ("RETURN [<value>]", "RETURN WITH <fields:fields>"),
        "Leaves a SUB, a FUNCTION or the script, with a value.",
        "RETURN 42",
    ),
    statement(
        "EXIT",
        ("EXIT", "EXIT FOR", "EXIT WHILE", "EXIT DO", "EXIT SUB", "EXIT FUNCTION"),
        "Leaves a loop, a subroutine or the script.",
        "FOR i = 1 TO 9\n  IF i = 3 THEN EXIT FOR\nNEXT",
    ),
    statement("BREAK", ("BREAK",), "Leaves the nearest loop.", "WHILE TRUE\n  BREAK\nWEND"),
    statement(
        "CONTINUE",
        ("CONTINUE",),
        "Goes on with the next round of the nearest loop.",
        "FOR i = 1 TO 9\n  CONTINUE\nNEXT",
    ),
    statement("GOTO", ("GOTO <label>",), "Goes on at a label.", "again:\nTALK 1\nGOTO again"),
    statement("END", ("END",), "Ends the script.", "END"),
    statement("STOP", ("STOP",), "Ends the script.", "STOP"),
    statement(
        "ON ERROR",
        ("ON ERROR RESUME NEXT", "ON ERROR GOTO <label>", "ON ERROR GOTO 0"),
        "Says what happens to errors from here on: go on, go to a label, or fail.",
        'ON ERROR RESUME NEXT\nx = GET "https://example.com/data"\nIF ERROR THEN TALK ERROR MESSAGE',
    ),
    statement(
        "TRY",
        ("TRY",),
        "Catches errors of the lines up to CATCH; FINALLY is done either way.",
        "TRY\n  x = 1 / 0\nCATCH problem\n  TALK problem\nEND TRY",
    ),
    statement(
        "CATCH", ("CATCH [<variable>]",), "What is done with an error.", "TRY\n  x = 1 / 0\nCATCH e\n  TALK e\nEND TRY"
    ),
    statement("FINALLY", ("FINALLY",), "What is done in either case.", "TRY\n  x = 1\nFINALLY\n  TALK 1\nEND TRY"),
    statement("END TRY", ("END TRY",), "Closes TRY.", "TRY\n  x = 1\nEND TRY"),
    statement("THROW", ("THROW <message>",), "Raises an error.", 'THROW "no stock"'),
    statement("RAISE", ("RAISE <message>",), "Raises an error.", 'RAISE "no stock"'),
    statement(
        "ASSERT",
        ("ASSERT <condition> [, <message>]",),
        "Raises an error when a condition does not hold.",
        'ASSERT total > 0, "empty order"',
    ),
    statement(
        "WITH",
        ("WITH <object:variable>",),
        "Sets several fields of an object.",
        'WITH contact\n  name = "Ana"\n  .city = "Lisbon"\nEND WITH',
    ),
    statement("END WITH", ("END WITH",), "Closes WITH.", "WITH a\n  b = 1\nEND WITH"),
    statement(
        "PARAM",
        ("PARAM <name>",),
        "A parameter of the script when it is a tool.",
        'PARAM city AS STRING LIKE "Lisbon" DESCRIPTION "Where"',
        "tools",
    ),
    statement(
        "DESCRIPTION",
        ("DESCRIPTION <text>",),
        "What the script does when it is a tool.",
        'DESCRIPTION "Books a table."',
        "tools",
    ),
    statement(
        "BEGIN SYSTEM PROMPT",
        ("BEGIN SYSTEM PROMPT",),
        "What the model is told before every free answer.",
        "BEGIN SYSTEM PROMPT\nYou are brief.\nEND SYSTEM PROMPT",
        "models",
    ),
    statement(
        "BEGIN MAIL",
        ("BEGIN MAIL <to>",),
        "Sends the lines up to END MAIL as a mail.",
        'BEGIN MAIL "ana@example.com"\nSubject: Hello\n\nDear Ana\nEND MAIL',
        "mail",
    ),
    statement(
        "TABLE",
        ("TABLE <name> [ON <connection>]",),
        "Describes a table of the bot.",
        "TABLE customers\n  id string(40) key\n  name string(100)\n  balance number(10,2)\nEND TABLE",
        "data",
    ),
    statement(
        "WEBHOOK",
        ("WEBHOOK <name:text>",),
        "Runs the script when its web address is called.",
        'WEBHOOK "orders"',
        "schedule",
    ),
    statement(
        "ON EVENT",
        ("ON <event>", "ON INSERT OF <table>", "ON EVENT <name> DO"),
        "Runs lines when something happens.",
        'ON INSERT OF "orders"\n  PRINT "new"\nEND ON',
        "schedule",
    ),
    statement("REM", ("REM <text>",), "A comment, as is what follows an apostrophe or //.", "REM nothing happens here"),
)
