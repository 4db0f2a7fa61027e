' answers: 2
' Menu loop
mainMenu:
TALK "1. Sales\n2. Support\n3. Exit"
HEAR choice AS INTEGER
IF choice = 1 THEN GOTO sales
IF choice = 2 THEN GOTO support
IF choice = 3 THEN GOTO finish
TALK "Invalid option"
GOTO finish

sales:
    TALK "Sales here"
    GOTO finish
support:
    TALK "Support here"
finish:
TALK "Bye!"
