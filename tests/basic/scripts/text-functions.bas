' Everything one does with texts.
s$ = "  The quick brown fox  "
t = TRIM(s$)
TALK UCASE$(t)
TALK LEN(t) + " characters"
TALK MID(t, 5, 5) & "|" & LEFT(t, 3) & "|" & RIGHT(t, 3)
position = INSTR(t, "quick")
IF position > 0 THEN TALK "quick is at " + position
words = SPLIT(t, " ")
TALK UBOUND(words) + " words"
FOR i = UBOUND(words) - 1 TO 0 STEP -1
    reversed = reversed + words[i] + " "
NEXT
TALK RTRIM(reversed)
csv = "id;name;price" + "\n" + "1;tea;4,50"
rows = SPLIT(csv, "\n")
head = SPLIT(rows[0], ";")
line = SPLIT(rows[1], ";")
o = #{}
FOR c = 0 TO UBOUND(head) - 1
    o[head[c]] = line[c]
NEXT
TALK "${o.name} costs ${FORMAT(VAL(REPLACE(o.price, ",", ".")), "C2[de]")}"
TALK FORMAT(5551234, "@@@-@@@@")
TALK JSON(TOJSON(o)).name
TALK ASC("A") + CHR(66)
