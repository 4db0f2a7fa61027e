img = IMAGE "A cat, watercolor"
caption = REWRITE "Write a caption for: " + topic
POST TO INSTAGRAM img, caption
POST TO "facebook", img, caption
id = POST TO LINKEDIN img, caption
stats = GET INSTAGRAM METRICS id
TALK "❤️ " + stats.likes + " 💬 " + stats.comments
POST TO INSTAGRAM AT DATEADD(NOW(), 1, "hour") img, caption
posts = GET FACEBOOK POSTS
CARD "logo.png", "Sale! 50% off", "modern", 3 TO cards
FOR EACH c IN cards
  POST TO INSTAGRAM c.image, c.text
NEXT
