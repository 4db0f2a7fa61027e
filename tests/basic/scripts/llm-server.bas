' A model behind a web address.
WEBHOOK "ask"
prompt = body.prompt OR params.prompt
IF prompt IS NULL THEN
    RETURN #{ status: 400, error: "prompt is missing" }
END IF
max = body?.max_words
IF max > 0 THEN
    prompt = prompt + "\nAt most ${max} words."
END IF
started = TIMESTAMP()
text = LLM prompt
RETURN #{
    status: 200,
    text: text,
    seconds: TIMESTAMP() - started
}
