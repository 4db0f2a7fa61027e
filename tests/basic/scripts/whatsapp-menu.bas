' answers: 1 | 3 | 0
menu:
TALK "1 - Opening hours\n2 - Address\n3 - Talk to us\n0 - Leave"
HEAR option
SELECT option
CASE "1"
  TALK "Monday to Friday, 9 to 18."
CASE "2"
  TALK "Rua Direita 10, Porto."
CASE "3"
  TALK "Write to us: hello@example.com"
CASE "0", "sair", "exit"
  GOTO bye
CASE ELSE
  TALK "I did not get that."
END SELECT
GOTO menu
bye:
TALK "Bye!"
