"""HTML of other people, made well-formed first, in a time that grows with its length.

The parser of the standard library takes quadratic time for tags that do not end; a page of 2 MB could hold a process
for hours. html5ever (in nh3) does not, and what it writes is read quickly by any parser.
"""

import nh3
from bs4 import BeautifulSoup

TAGS = frozenset(
    """
    a abbr address area article aside b bdi bdo blockquote br button canvas caption cite code col colgroup data datalist
    dd del details dfn dialog div dl dt em fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr i
    img input ins kbd label legend li link main map mark menu meta meter nav ol optgroup option output p picture pre
    progress q rp rt ruby s samp section select small source span strong sub summary sup table tbody td textarea tfoot
    th thead time title tr track u ul var video audio wbr center font
    """.split()
)
ATTRIBUTES = frozenset(
    """
    class id href src alt title name value content property type rel role lang datetime colspan rowspan scope headers
    srcset width height placeholder label for action method itemprop itemtype itemscope itemid media poster dir checked
    selected disabled
    """.split()
)
PREFIXES = frozenset({"data-", "aria-"})
SCHEMES = frozenset({"http", "https", "mailto", "tel", "ftp", "data"})
UNREAD = frozenset({"script", "style", "template", "noscript"})


def tidied(html: str) -> BeautifulSoup:
    """The page without scripts, styles, comments and what nobody has heard of."""
    clean = nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags=set(UNREAD),
        attributes={"*": set(ATTRIBUTES)},
        generic_attribute_prefixes=set(PREFIXES),
        url_schemes=set(SCHEMES),
        link_rel=None,
    )
    return BeautifulSoup(f"<html><body>{clean}</body></html>", "html.parser")
