"""A student in a browser: asks, reads, confirms, comes back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import psycopg
from playwright.async_api import BrowserContext, expect

from tests.e2e.browser.widget_page import PATIENCE_MS, WidgetPage

if TYPE_CHECKING:
    from tests.live import LiveApi

PRICE = "¿Cuánto cuesta el curso de Python y cuándo empieza?"
TICKET = "Necesito abrir un ticket: no puedo entrar al campus virtual desde ayer"


async def test_first_turn_says_that_it_is_an_ai_and_how_to_reach_a_person(
    widget: WidgetPage,
) -> None:
    await expect(widget.panel).to_contain_text("Soy un asistente con IA")
    await expect(widget.panel.get_by_role("button", name="Hablar con una persona")).to_be_visible()


async def test_answer_streams_and_its_citation_opens_the_course(
    widget: WidgetPage, context: BrowserContext
) -> None:
    await widget.record_drafts()
    reply = await widget.ask(PRICE)
    await expect(reply).to_contain_text("USD")
    assert await widget.drafts()
    source = reply.get_by_role("link", name=re.compile("^Fuente 1")).first
    async with context.expect_page() as opened:
        await source.click()
    course = await opened.value
    await expect(course.get_by_role("heading", level=1)).to_contain_text("Python")
    assert "/courses/" in course.url


async def test_english_question_opens_the_document_at_the_cited_heading(
    widget: WidgetPage, context: BrowserContext
) -> None:
    await widget.panel.get_by_role("button", name="Switch to English").click()
    reply = await widget.ask("What documents do I need for admission?")
    source = reply.get_by_role("link", name=re.compile("^Source 1")).first
    async with context.expect_page() as opened:
        await source.click()
    document = await opened.value
    await expect(document.get_by_role("heading", level=1)).to_be_visible()
    assert re.search(r"/knowledge/.+@\d+", document.url)
    anchor = document.url.partition("#")[2]
    if anchor:
        cited = document.locator(f"section:has(> [id='{anchor}'])")
        colour = await cited.evaluate("e => getComputedStyle(e).backgroundColor")
        assert colour != "rgba(0, 0, 0, 0)"


async def test_suggested_question_is_asked_with_one_click(widget: WidgetPage) -> None:
    await widget.panel.get_by_role("button", name=PRICE).click()
    await expect(await widget.reply(0)).to_contain_text("USD")
    await expect(widget.panel.get_by_role("button", name=PRICE)).to_have_count(0)


async def test_ticket_is_opened_once_after_the_card_is_accepted(
    widget: WidgetPage, demo_database_url: str
) -> None:
    def tickets() -> int:
        with psycopg.connect(demo_database_url) as conn:
            row = conn.execute("SELECT count(*) FROM tickets").fetchone()
        assert row is not None
        return int(row[0])

    before = tickets()
    await widget.ask(TICKET)
    card = widget.panel.get_by_role("region", name="Confirma antes de continuar")
    await expect(card).to_be_visible(timeout=PATIENCE_MS)
    replies = await widget.replies.count()
    await expect(widget.replies.nth(replies - 1)).to_contain_text("campus virtual")
    assert tickets() == before
    await card.get_by_role("button", name="Aceptar").click()
    await widget.reply(replies)
    await expect(card).to_have_count(0)
    assert tickets() == before + 1


async def test_rejected_card_changes_nothing(widget: WidgetPage, demo_database_url: str) -> None:
    await widget.ask(TICKET)
    card = widget.panel.get_by_role("region", name="Confirma antes de continuar")
    with psycopg.connect(demo_database_url) as conn:
        before = conn.execute("SELECT count(*) FROM tickets").fetchone()
    replies = await widget.replies.count()
    await card.get_by_role("button", name="Rechazar").click()
    await widget.reply(replies)
    with psycopg.connect(demo_database_url) as conn:
        assert conn.execute("SELECT count(*) FROM tickets").fetchone() == before


async def test_reload_finds_the_history_and_the_open_card(widget: WidgetPage) -> None:
    await widget.ask(PRICE)
    await widget.ask(TICKET)
    before = await widget.transcript()
    await widget.page.reload()
    await expect(widget.messages).to_have_count(len(before))
    assert await widget.transcript() == before
    card = widget.panel.get_by_role("region", name="Confirma antes de continuar")
    await expect(card.get_by_role("button", name="Aceptar")).to_be_enabled()


async def test_second_tab_shows_the_same_while_the_first_is_talking(
    widget: WidgetPage, context: BrowserContext
) -> None:
    other = WidgetPage(await context.new_page(), widget.url)
    await widget.ask(PRICE)
    await other.visit("/")
    await other.launch()
    await expect(other.messages).to_have_count(2)
    await widget.ask("¿Qué documentos necesito para la admisión?")
    await expect(other.messages).to_have_count(4, timeout=PATIENCE_MS)
    await other.ask("Gracias")
    await expect(widget.messages).to_have_count(6, timeout=PATIENCE_MS)
    assert await widget.transcript() == await other.transcript()


async def test_card_decided_in_one_tab_leaves_the_other(
    widget: WidgetPage, context: BrowserContext
) -> None:
    other = WidgetPage(await context.new_page(), widget.url)
    await widget.ask(TICKET)
    await other.visit("/")
    await other.launch()
    await other.panel.get_by_role("button", name="Rechazar").click()
    await expect(widget.panel.locator("[data-confirmation]")).to_have_count(0, timeout=PATIENCE_MS)


async def test_student_proves_who_they_are_by_a_code(
    widget: WidgetPage, context: BrowserContext, live_app: LiveApi
) -> None:
    await widget.ask("Muéstrame mi perfil")
    await widget.panel.get_by_role("button", name="Verificar mi identidad").click()
    await widget.panel.get_by_label("Correo electrónico").fill("ana.perez@correo.example")
    await widget.panel.get_by_role("button", name="Enviar el código").click()
    await expect(widget.panel.get_by_label("Código")).to_be_focused()
    async with context.expect_page() as opened:
        await widget.panel.get_by_role("link", name=re.compile("abrir el buzón")).click()
    mailbox = await opened.value
    mail = mailbox.get_by_role("article").first
    await expect(mail).to_contain_text("ana.perez@correo.example")
    code = re.search(r"\b\d{6}\b", await mail.inner_text())
    assert code is not None
    await widget.panel.get_by_label("Código").fill(code[0])
    await widget.panel.get_by_role("button", name="Confirmar").click()
    await expect(widget.panel).to_contain_text("Tu identidad está verificada")
    # The new session reads the log again: only the last reply is sure to be the new one.
    await widget.ask("Muéstrame mi perfil")
    await expect(widget.replies.last).to_contain_text("Ana", timeout=PATIENCE_MS)


async def test_wrong_code_is_said_beside_the_field(widget: WidgetPage) -> None:
    await widget.panel.get_by_role("button", name="Más opciones").click()
    await widget.panel.get_by_role("button", name="Verificar mi identidad").click()
    email = widget.panel.get_by_label("Correo electrónico")
    await email.fill("no es un correo")
    await email.press("Enter")
    await expect(widget.panel.locator(".verification .problem")).to_contain_text("correo completo")
    await email.fill("luis.gomez@correo.example")
    await email.press("Enter")
    code = widget.panel.get_by_label("Código")
    await code.fill("000000")
    await code.press("Enter")
    problem = widget.panel.locator(".verification .problem")
    await expect(problem).to_contain_text("no es correcto")


async def test_advisors_reply_carries_their_name(widget: WidgetPage, live_app: LiveApi) -> None:
    await widget.panel.get_by_role("button", name="Hablar con una persona").first.click()
    await widget.reply(0)
    await expect(widget.panel.locator(".banner")).to_contain_text("Avisamos al equipo")
    async with httpx.AsyncClient(base_url=live_app.url, timeout=30) as http:
        login = {"email": "lucia.rojas@andino.example", "password": "andino-lucia-demo"}
        token = (await http.post("/v1/auth/login", json=login)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        kept = await widget.page.evaluate("Object.values(localStorage).map(JSON.parse)")
        student = {"Authorization": f"Bearer {next(v['token'] for v in kept if 'token' in v)}"}
        state = (await http.get("/v1/chat/session", headers=student)).json()
        path = f"/v1/advisor/conversations/{state['conversation_id']}"
        (await http.post(f"{path}/takeover", headers=headers)).raise_for_status()
        body = {"client_message_id": "advisor-1", "text": "Hola, ¿en qué te ayudo?"}
        (await http.post(f"{path}/messages", json=body, headers=headers)).raise_for_status()
    said = widget.panel.locator(".row-advisor")
    await expect(said).to_contain_text("Hola, ¿en qué te ayudo?", timeout=PATIENCE_MS)
    await expect(said.locator(".author")).to_have_text("Lucía Rojas")
    await expect(widget.panel.locator(".banner")).to_contain_text("Lucía Rojas")


async def test_conversation_that_has_ended_starts_anew_with_a_friendly_word(
    widget: WidgetPage, demo_database_url: str
) -> None:
    await widget.ask(PRICE)
    with psycopg.connect(demo_database_url, autocommit=True) as conn:
        conn.execute("UPDATE chat_sessions SET expires_at = created_at")
    await widget.say("¿Qué becas hay?")
    await expect(widget.panel).to_contain_text("Empezamos una nueva", timeout=PATIENCE_MS)
    await expect(await widget.reply(0)).to_contain_text("beca")
    assert len(await widget.transcript()) == 2


async def test_new_conversation_leaves_nothing_of_the_old_one(widget: WidgetPage) -> None:
    await widget.ask(PRICE)
    await widget.panel.get_by_role("button", name="Más opciones").click()
    await widget.panel.get_by_role("button", name="Empezar otra conversación").click()
    await expect(widget.messages).to_have_count(0)
    await widget.page.reload()
    await expect(widget.panel.get_by_role("button", name=PRICE)).to_be_visible()
    await expect(widget.messages).to_have_count(0)
