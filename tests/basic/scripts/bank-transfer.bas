' answers: 250,00 | 529.982.247-25 | password1 | Yes
IF NOT GET "session.logged" THEN
    TALK "I need to know who you are first."
END IF

TALK "How much do you want to send?"
HEAR amount AS MONEY
TALK "To which CPF?"
HEAR target AS CPF
TALK "Your password, please. It is not kept."
HEAR secret AS PASSWORD

account = FIND "accounts", "owner=" + user_id
balance = IIF(account IS NULL, 0, account.balance)

IF amount > balance AND balance > 0 THEN
    TALK "There are only ${FORMAT(balance, "C2[pt]")} in your account."
    EXIT
END IF

fee = ROUND(amount * 0.005, 2)
IF fee < 1.5 THEN fee = 1.5
IF amount > 5000 || fee > 20 THEN
    limit_reached = TRUE
ELSE
    limit_reached = FALSE
END IF

TALK "Send ${FORMAT(amount, "C2[pt]")} (fee ${FORMAT(fee, "C2[pt]")}) to ${target}?"
HEAR sure AS "Yes", "No"
IF sure == "Yes" && !limit_reached THEN
    BEGIN TRANSACTION
    INSERT INTO "transfers" WITH who = user_id, target = target, amount = amount, fee = fee, at = NOW()
    UPDATE "accounts" SET balance = balance - amount - fee WHERE owner = user_id
    COMMIT TRANSACTION
    TALK "Sent."
ELSE
    TALK "Nothing was sent."
END IF
