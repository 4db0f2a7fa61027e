SET SCHEDULE "0 0 8 * * MON-FRI"
today_str = FORMAT(TODAY(), "yyyy-MM-dd")
IF WEEKDAY(TODAY()) = 1 THEN RETURN
overdue = FIND "invoices", "status='open' AND due < '" + today_str + "'"
FOR EACH inv IN overdue
    late = DATEDIFF(inv.due_date, TODAY(), "days")
    IF late > 30 THEN
        level = "final"
    ELSEIF late > 15 THEN
        level = "second"
    ELSE
        level = "first"
    END IF
    vars = #{ name: inv.customer_name, amount: FORMAT(inv.amount, "C2[en]"), days: late }
    SEND TEMPLATE "dunning_" + level, "email", inv.customer_email, vars
    UPDATE "invoices", "id=" + inv.id, #{ reminder: level, reminded_at: NOW() }
    WAIT 1
NEXT inv
IF UBOUND(overdue) > 0 THEN
    SEND MAIL "cfo@x.y", "Overdue " & UBOUND(overdue), "See list"
END IF
