param month as date like "2026-03-01" description "Any day of the month"
description "Numbers of the sales pipeline"
first = DATEADD(month, 1 - DAY(month), "days")
last = EOMONTH(month)
deals = FIND ALL deals WHERE created_at >= first AND created_at <= last ORDER BY value DESC LIMIT 100
stages = ["lead", "offer", "won", "lost"]
table = []
For Each stage In stages
    n = 0
    sum = 0
    For Each d In deals
        If d.stage = stage Then
            n = n + 1
            sum = sum + d.value
        End If
    Next d
    table[UBOUND(table)] = { stage: stage, n: n, sum: sum }
Next stage
For Each row In table
    Talk CAPITALIZE(row.stage) + ": " + row.n + " deals, " + FORMAT(row.sum, "#,##0")
Next
won = table[2].n
lost = table[3].n
If won + lost > 0 Then
    rate = won / (won + lost)
    Talk "Win rate: " + FORMAT(rate, "0%")
Else
    Talk "No deal was decided."
End If
