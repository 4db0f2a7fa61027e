' reads a sheet, cleans it, writes what is new
rows = FIND "contacts.xlsx"
added = 0
skipped = 0
seen = #{}
FOR EACH r IN rows
    email = LCASE(TRIM(r.email))
    IF email = "" OR NOT email LIKE "%@%.%" THEN
        skipped = skipped + 1
        CONTINUE
    END IF
    IF HAS(seen, email) THEN
        skipped += 1
        CONTINUE
    END IF
    seen[email] = TRUE
    parts = SPLIT(TRIM(r.name), " ")
    first_name = HEAD(parts)
    last_name = IIF(UBOUND(parts) > 1, LAST(parts), "")
    phone = REPLACE(REPLACE(REPLACE(STR(r.phone), "(", ""), ")", ""), "-", "")
    IF FIND_ONE("contacts", "email=" + email) IS NULL THEN
        INSERT INTO "contacts" VALUES { email: email, first_name: first_name, last_name: last_name, phone: phone }
        added += 1
    END IF
NEXT r
TALK "Added ${added}, skipped ${skipped}."
RETURN #{ added: added, skipped: skipped }
