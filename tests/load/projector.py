"""The wall of a class on a page of its own, which notes when each drawing is there."""

# From now on `window.arrivedAt` has, by the number of each drawing that has been on the wall, when it was first seen
# there, in ms since 1970, and `onWall()` the numbers of those that are there now.
WATCH = """() => {
    window.arrivedAt = {}
    window.onWall = () => {
        const host = [...document.querySelectorAll('.st-key-wall *')].find(element => element.shadowRoot)
        return [...host?.shadowRoot.querySelectorAll('.wall button') ?? []].map(tile => tile.number)
    }
    setInterval(() => { for (const number of onWall()) arrivedAt[number] ??= Date.now() }, 20)
}"""


class Projector:
    """The page with the wall."""

    def __init__(self, page):
        self._page = page

    async def open(self, address):
        await self._page.goto(f"{address}/class?present=true")
        await self._page.get_by_text("Nothing has been sent yet").wait_for(timeout=60_000)
        await self._page.evaluate(WATCH)

    async def arrived_at(self):
        """When each drawing was first seen, {its number: ms since 1970}."""
        return {int(number): at for number, at in (await self._page.evaluate("arrivedAt")).items()}

    async def on_wall(self):
        """The numbers of the drawings that are on the wall now."""
        return await self._page.evaluate("onWall()")
