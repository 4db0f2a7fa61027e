' answers: red | L | back | M | done
step = 1
answers = { }
WHILE step <= 3
    SWITCH step
        CASE 1
            TALK "Colour?"
            HEAR x AS COLOR
            answers.colour = x
        CASE 2
            TALK "Size? S, M, L (or back)"
            HEAR x
            answers["size"] = UCASE(x)
        CASE 3
            TALK "Colour ${answers.colour}, size ${answers.size}. back or done?"
            HEAR x
            IF x = "back" THEN
                step = 1   ' goes up by one below
            END IF
    END SWITCH
    step = step + 1
WEND
SET USER MEMORY "preferences", answers
REMEMBER "last_order", answers, "30 days"
TALK "Saved."
