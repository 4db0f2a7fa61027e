SET SCHEDULE "0 0 6 * * 1"
sales = FIND "sales", "created_at >= '2026-01-01'"
total = AGGREGATE "SUM", sales, "amount"
orders = AGGREGATE "COUNT", sales, "id"
average = 0
IF orders > 0 THEN average = total / orders
best = AGGREGATE sales MAX amount WHERE status = "paid"

by_region = GROUP BY sales, "region"
FOR EACH region IN by_region
    part = AGGREGATE "SUM", by_region[region], "amount"
    PRINT region, part
NEXT

months = PIVOT sales, "month", "region", "amount"
top = SORT sales BY "amount" DESC
first = FIRST top, 3
big = FILTER sales, "amount > 15"
slim = MAP sales, "region->area, amount->value"
totals = SELECT region, SUM(amount) AS total FROM sales GROUP BY region ORDER BY total DESC

report = #{
    total: FORMAT(total, "#,##0.00"),
    orders: orders,
    average: FORMAT(average, "N2[pt]"),
    best: best,
    top: first
}
SAVE "reports", report
GENERATE PDF "reports/weekly.html", report, "reports/weekly.pdf"
SEND MAIL "boss@example.com", "Numbers of the week", "See the file.", ["reports/weekly.pdf"]
