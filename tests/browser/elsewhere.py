"""A site of somebody else that puts the chat into its page, with a policy, styles and names of its own."""

from aiohttp import web

from cli.stack.layout import unused_port

# Styles that would ruin the chat if they reached into it.
PAGE = """<!doctype html>
<html lang="fr">
<head>
  <meta charset="utf-8">
  <title>A shop</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/shop.css">
  <script src="/shop.js"></script>
  <script type="module" src="{edge}/embed.js"></script>
</head>
<body class="chat-page">
  <h1>A shop</h1>
  <parley-chat bot="{bot}" {attributes}></parley-chat>
</body>
</html>"""
STYLES = (
    "* { border-radius: 0 !important } button { display: none } h2 { color: red !important } textarea { width: 1px }"
)
SCRIPT = "window.before = Object.getOwnPropertyNames(window).concat('before');"


class Elsewhere:
    """Serves the page on 127.0.0.1, which is two origins: by number and by name."""

    def __init__(self) -> None:
        self._port = unused_port(set())
        self._runner: web.AppRunner | None = None

    @property
    def origins(self) -> list[str]:
        return [f"http://127.0.0.1:{self._port}", f"http://localhost:{self._port}"]

    def page(self, origin: str, edge: str, bot: str, attributes: str = "") -> str:
        """The address of a page with the chat in it."""
        return f"{origin}/?edge={edge}&bot={bot}&attributes={attributes}"

    async def start(self) -> None:
        application = web.Application()
        application.router.add_get("/", self._page)
        application.router.add_get("/shop.css", self._styles)
        application.router.add_get("/shop.js", self._script)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        edge = request.query["edge"]
        policy = (
            f"default-src 'none'; script-src 'self' {edge}; style-src 'self'; img-src data:; "
            f"connect-src {edge} {edge.replace('http', 'ws', 1)}; require-trusted-types-for 'script'"
        )
        text = PAGE.format(edge=edge, bot=request.query["bot"], attributes=request.query["attributes"])
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def _styles(self, _: web.Request) -> web.Response:
        return web.Response(text=STYLES, content_type="text/css")

    async def _script(self, _: web.Request) -> web.Response:
        return web.Response(text=SCRIPT, content_type="text/javascript")
