' answers: Carla Nunes | carla@example.com | Design | 01/04/2026 | 3.500,00
TALK "New colleague? Name:"
name$ = HEAR AS NAME
TALK "Mail:"
HEAR email AS EMAIL
TALK "Department:"
departments = ["Sales", "Design", "Engineering"]
HEAR department AS departments
TALK "First day:"
HEAR first_day AS DATE
TALK "Salary:"
HEAR salary AS MONEY

year% = YEAR(first_day)
number$ = UCASE(LEFT(department, 3)) + "-" + year% + "-" + RANDOM(100, 999)
employee = CREATE OBJECT
employee.number = number$
employee.name = name$
employee["email"] = email
employee["department"] = department
employee.first_day = first_day
employee.trial_ends = DATEADD(first_day, 6, "months")
employee.salary = salary
INSERT "employees", employee

DIM tasks AS ARRAY
tasks[UBOUND(tasks)] = "Laptop"
tasks[UBOUND(tasks)] = "Badge"
tasks[UBOUND(tasks)] = "Lunch with the team"
FOR i = LBOUND(tasks) TO UBOUND(tasks) - 1
    SAVE "tasks", #{ employee: number$, title: tasks[i], due: DATEADD(first_day, "days", i) }
NEXT i
BEGIN MAIL email
Subject: Welcome, ${name$}

Dear ${name$},

your first day is ${FORMAT(first_day, "dd/MM/yyyy")}.
Until then!
END MAIL
TALK "Done: " + number$ + ", trial until " + employee.trial_ends
