' answers: 9 | More tea in the kitchen | skip
WHILE TRUE
  TALK "From 0 to 10, how happy are you?"
  HEAR mark AS INTEGER
  IF mark BETWEEN 0 AND 10 THEN BREAK
  TALK "From 0 to 10, please."
END WHILE
group = "passive"
IF mark >= 9 THEN group = "promoter"
IF mark <= 6 THEN group = "detractor"
TALK "One wish?"
HEAR wish
TALK "Your name? (or skip)"
HEAR name
who = IIF(LCASE(name) = "skip", NULL, name)
SAVE "feedback", #{ mark: mark, group: group, wish: wish, who: NVL(who, "anonymous"), at: NOW().formatted }
all = FIND "feedback", "mark >= 0"
promoters = COUNT(FILTER(all, "group = promoter"))
nps = 0
IF COUNT(all) > 0 THEN nps = INT(promoters / COUNT(all) * 100)
TALK "Thank you! Promoters so far: ${nps}%."
