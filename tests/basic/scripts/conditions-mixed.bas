flag = TRUE
flag2 = NOT flag
flag3 = flag AND NOT flag2 OR x > 5
IF flag = TRUE THEN TALK "a"
IF flag == true && !flag2 THEN TALK "b"
IF (flag OR flag2) AND (x = 1 OR y = 2) THEN TALK "c"
IF NOT (flag AND flag2) THEN TALK "d"
IF NOT flag OR NOT flag2 THEN TALK "e"
IF !flag || !flag2 THEN TALK "f"
IF x = 1 AND y <> 2 OR z >= 3 AND w <= 4 THEN TALK "g"
IF x IS NULL OR x = NULL OR ISNULL(x) OR x == NOTHING THEN TALK "h"
IF x IN ["a", "b"] AND y NOT IN ["c"] THEN TALK "i"
IF x = "a" XOR y = "b" THEN TALK "j"
ok = (x = 1)
ok = x = 1
ok = x <> NULL AND x.y = 5
WHILE NOT done AND i < 10
 i = i + 1
 done = i >= 5
WEND
