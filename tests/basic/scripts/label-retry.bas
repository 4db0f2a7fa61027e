counter = 0
again:
counter = counter + 1
TALK "Try " + counter
IF counter < 3 THEN GOTO again
TALK "done"
