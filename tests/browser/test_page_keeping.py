"""What survives: a reload, another tab, a killed bridge, a lost network."""

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.browser.people import People, Visitor
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
BROKEN = r"WebSocket connection|ERR_INTERNET_DISCONNECTED|503|ERR_CONNECTION|ERR_EMPTY_RESPONSE"


async def test_history_after_reload_and_in_a_second_tab(people: People) -> None:
    ana = await people.at("hello")
    await ana.introduce()
    await expect(ana.suggestions).to_have_count(3)
    before = await ana.part("log").inner_text()
    await ana.page.reload()
    await ana.hear("Nice to meet you, Ana")
    await expect(ana.part("log")).to_have_text(re.compile("What shall I show you"))
    assert await ana.part("log").inner_text() == before
    await expect(ana.suggestions).to_have_count(3)
    first = ana.page
    await ana.come("hello")
    await ana.hear("Nice to meet you, Ana")
    assert await ana.part("log").inner_text() == before
    await ana.choose("Just questions")
    await ana.hear("ask me anything")
    await expect(first.get_by_test_id("message-bot").last).to_contain_text("ask me anything")
    await expect(first.get_by_test_id("message-user")).to_have_count(2)


async def test_new_conversation_begins_in_all_tabs(people: People) -> None:
    ana = await people.at("hello")
    await ana.introduce()
    first = ana.page
    await ana.come("hello")
    await ana.hear("Nice to meet you, Ana")
    await ana.part("fresh").click()
    await ana.hear("What is your name?")
    await expect(ana.said).to_have_count(0)
    await expect(first.get_by_test_id("message-user")).to_have_count(0)
    await ana.say("Bia")
    await expect(first.get_by_test_id("message-bot").last).to_contain_text("Nice to meet you, Bia")


async def test_tabs_renew_their_tokens_one_after_the_other(people: People) -> None:
    """A refresh token works once; a use after its successor's would end the sign-in and lose the conversation."""
    ana = await people.at("hello")
    await ana.introduce()
    await ana.run(
        """const { change } = await import('/static/keeping.js');
           await change('parley::hello', (kept) => { kept.tokens.expire_time = new Date().toISOString(); });"""
    )
    first, second = ana.page, await ana.context.new_page()
    asked: list[int] = []
    ana.context.on("response", lambda answer: asked.append(answer.status) if "tokens:refresh" in answer.url else None)
    await asyncio.gather(first.reload(), second.goto(f"{ana.url}/chat/hello"))
    for page in (first, second):
        await expect(page.get_by_test_id("message-bot").last).to_contain_text("Nice to meet you, Ana")
    assert asked == [200]


@pytest.mark.parametrize("cut_off", [False, True], ids=["lost", "cut off"])
async def test_a_renewal_whose_answer_is_lost_keeps_the_conversation(people: People, cut_off: bool) -> None:
    """The token was used, and the page does not know: it asks again, and is the same visitor."""
    ana = await people.at("hello")
    ana.forgive(BROKEN + "|ERR_FAILED")
    await ana.introduce()
    await ana.run(
        """const { change } = await import('/static/keeping.js');
           await change('parley::hello', (kept) => { kept.tokens.expire_time = new Date().toISOString(); });"""
    )
    asked: list[int] = []

    async def lose(route: Route) -> None:
        answer = await route.fetch()
        asked.append(answer.status)
        if len(asked) > 1:
            await route.fulfill(response=answer)
        elif cut_off:
            await route.fulfill(response=answer, body='{"access_token": "ey')
        else:
            await route.abort()

    await ana.page.route("**/v1/tokens:refresh", lose)
    await ana.page.reload()
    await ana.hear("Nice to meet you, Ana")
    await ana.online()
    assert asked == [200, 200]


async def test_message_written_while_the_bridge_is_dead_arrives_once(people: People, stage: Stage) -> None:
    ana = await people.at("echo")
    ana.forgive(BROKEN)
    await ana.say("before")
    await ana.hear("before")
    gate = asyncio.Event()

    async def hold(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await ana.page.route("**/*:createTicket", hold)
    stage.process("realtime").kill()
    await expect(ana.state).to_have_text("Reconnecting…")
    await ana.say("meanwhile")
    await expect(ana.said.last).to_contain_text("Waiting to be sent")
    await expect(ana.part("typing")).to_be_hidden()
    gate.set()
    await ana.online()
    await ana.hear("meanwhile")
    await ana.say("after")
    await ana.hear("after")
    await expect(ana.said.locator(".text")).to_have_text(["before", "meanwhile", "after"])
    await expect(ana.heard.locator(".text")).to_have_text(["before", "meanwhile", "after"])


async def test_message_sent_into_a_dying_bridge_arrives_once(people: People, stage: Stage) -> None:
    ana = await people.at("echo")
    ana.forgive(BROKEN)
    bridge = stage.process("realtime")
    await asyncio.gather(ana.say("into the dark"), asyncio.to_thread(bridge.kill))
    await ana.hear("into the dark")
    await ana.say("after")
    await ana.hear("after")
    await expect(ana.said.locator(".text")).to_have_text(["into the dark", "after"])
    await expect(ana.heard.locator(".text")).to_have_text(["into the dark", "after"])


async def test_without_network_messages_wait(people: People) -> None:
    ana = await people.at("echo")
    ana.forgive(BROKEN)
    await ana.context.set_offline(True)
    await expect(ana.state).to_have_text("Reconnecting…")
    await ana.say("one")
    await ana.say("two")
    await expect(ana.said.last).to_contain_text("Waiting to be sent")
    await ana.context.set_offline(False)
    await ana.online()
    await ana.hear("two")
    await expect(ana.said.locator(".text")).to_have_text(["one", "two"])
    await expect(ana.said.last).not_to_contain_text("Waiting to be sent")


async def test_message_that_waits_survives_a_reload(people: People) -> None:
    ana = await people.at("echo")
    ana.forgive(BROKEN)
    await ana.context.set_offline(True)
    await ana.say("kept")
    await expect(ana.said.last).to_contain_text("Waiting to be sent")
    await ana.page.close()
    await ana.context.set_offline(False)
    await ana.come("echo")
    await ana.hear("kept")
    await expect(ana.said).to_have_count(1)


async def forget(ana: Visitor) -> None:
    """Make the page believe in a session that is not there."""
    await ana.run(
        """const { change } = await import('/static/keeping.js');
           await change('parley::echo', (kept) => { kept.session = 'sessions/' + crypto.randomUUID(); });"""
    )


async def test_lost_session_is_replaced(people: People) -> None:
    ana = await people.at("echo")
    ana.forgive(BROKEN + "|404")
    await ana.say("old")
    await ana.hear("old")
    await forget(ana)
    await ana.context.set_offline(True)
    await ana.context.set_offline(False)
    await expect(ana.said).to_have_count(0)
    await ana.online()
    await ana.say("new")
    await ana.hear("new")
    await expect(ana.heard).to_have_count(1)


async def test_bot_that_is_not_there_is_named(people: People) -> None:
    ana = await people.visitor()
    ana.forgive("404")
    await ana.open("/chat/nobody-here")
    await expect(ana.part("notice")).to_have_text("There is no bot “nobody-here” here.")


async def test_page_works_where_nothing_may_be_kept(people: People) -> None:
    ana = await people.visitor()
    await ana.context.add_init_script(
        """for (const name of ['localStorage', 'indexedDB'])
             Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });
           delete Navigator.prototype.locks;
           delete Crypto.prototype.randomUUID;"""
    )
    await ana.come("echo")
    await ana.say("hello")
    await ana.hear("hello")
