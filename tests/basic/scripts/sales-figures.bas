sales = FIND "sales", "year=2026"
total = AGGREGATE "SUM", sales, "amount"
avg = AGGREGATE "AVG", sales, "amount"
count = AGGREGATE "COUNT", sales, "id"
byRegion = GROUP BY sales, "region"
big = FILTER sales, "amount > 1000"
names = MAP sales, "customer_name->customer, amount->value"
pivot = PIVOT sales, "region", "amount"
merged = JOIN sales, byRegion, "region"
img = CHART "bar", sales
SEND FILE img, "Sales"
report = "📊 **Report**\n" +
         "Total: " + FORMAT(total, "C2[en-US]") + "\n" +
         "Average: " + FORMAT(avg, "N2") + "\n" +
         "Count: " + count
TALK report
