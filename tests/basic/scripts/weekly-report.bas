SET SCHEDULE "0 8 * * 1"
sales = FIND "sales", "date >= '" + FORMAT(DATEADD(TODAY(), -7, "day"), "yyyy-MM-dd") + "'"
total = 0
best = NULL
max = 0
FOR EACH sale IN sales
    total += sale.amount
    IF sale.amount > max THEN
        max = sale.amount
        best = sale
    END IF
NEXT
BEGIN MAIL "boss@example.com"
Subject: Weekly report ${FORMAT(TODAY(), "dd/MM")}

Dear boss,

Total: ${FORMAT(total, "#,##0.00")}
Sales: ${UBOUND(sales)}

It's all fine. { } "quotes" and 'apostrophes' // not a comment
END MAIL

html = "<h1>Report</h1><table style='color:#f00'>"
FOR EACH sale IN sales
  html = html + "<tr><td>" + sale.customer_name + "</td><td>" + FORMAT(sale.amount, "C") + "</td></tr>"
NEXT
html = html + "</table>"
SEND MAIL "boss@example.com", "Report " + TODAY(), html, ["report.pdf"]
SEND MAIL "a@b.c, d@e.f", "S", "B", []
GENERATE PDF "templates/report.html", #{ total: total, rows: sales }, "reports/" + FORMAT(TODAY(), "yyyyMM") + ".pdf"
pdf = GENERATE PDF "report.pdf" WITH TEMPLATE "invoice" DATA sales
