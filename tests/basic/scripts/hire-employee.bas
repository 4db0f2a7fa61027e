PARAM fullname AS NAME LIKE "Ana" DESCRIPTION "Full name"
PARAM startdate AS DATE LIKE "2026-01-05" DESCRIPTION "First day"
PARAM department AS STRING ENUM ["IT", "HR", "Sales"] DESCRIPTION "Dep"
PARAM salary AS DECIMAL LIKE 1500.50 OPTIONAL DESCRIPTION "Salary"
PARAM manager AS EMAIL LIKE boss@example.com DESCRIPTION "Manager's e-mail"
DESCRIPTION "Registers a new employee and starts onboarding. Use when the user says 'new hire'."
empno = "EMP" + FORMAT(NOW(), "yyyyMMdd") + FORMAT(RANDOM(1, 999), "000")
exists = FIND_ONE "employees", "name=" + fullname
IF exists IS NOT NULL THEN
    RETURN "Already there: " + exists.id
END IF
tasks = ["Laptop", "Badge", "Mail account", "Training"]
FOR i = 0 TO UBOUND(tasks) - 1
    due = DATEADD(startdate, -1 * (UBOUND(tasks) - i), "day")
    CREATE_TASK tasks[i] + " for " + fullname, manager, due
NEXT i
SAVE "employees.csv", empno, fullname, startdate, department, salary, manager, "active"
SEND EMAIL manager, "New employee: " + fullname + " (" + empno + ")"
RETURN #{ employee: empno, tasks: LEN(tasks), first_day: FORMAT(startdate, "dd/MM/yyyy") }
