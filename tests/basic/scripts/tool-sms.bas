param phone as PHONE like "+351910000000" description "Number with country code"
param message as string like "Hello" description "Up to 160 characters"
description "Sends a text message"

if len(message) > 160 then
  message = left(message, 157) + "..."
end if
send sms phone, message
talk "Sent."
