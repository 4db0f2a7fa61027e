USE WEBSITE "https://news.example.com" REFRESH "1d"
links = SCRAPE_LINKS "https://news.example.com"
picked = FIRST links, 10
FOR EACH link IN picked
    url = link.url OR link
    title = SCRAPE url, "h1"
    summary = LLM "Two sentences about: " + title
    SAVE "news", #{ url: url, title: title, summary: summary, day: TODAY() }
NEXT link
feed = RSS "https://news.example.com/feed.xml", 5
FOR EACH item IN feed
    TALK "• " + item.title
END FOR
