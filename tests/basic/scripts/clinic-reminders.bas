SET SCHEDULE "0 0 9 * * *"

tomorrow = DATEADD(TODAY(), "day", 1)
list = FIND "appointments", "date=" + FORMAT(tomorrow, "yyyy-MM-dd")
if ubound(list) = 0 then
  print "nothing to remind"
  return
end if
for each item in list
    TALK TO "whatsapp:" + item.phone, "Hello " + item.name + ", we expect you tomorrow at " + item.time
    WAIT 2
next item
