"""What no setting of Streamlit reaches: how the desk uses the screen."""

import streamlit as st

# Question and lens stand side by side where both have room, else one below the other. What the model sees stands below
# the question or, on a narrow screen, below the answer.
DESK = """
.st-key-desk { display: grid; gap: 0.75rem 1.5rem; grid-template: "question" "lens" "seen" / minmax(0, 1fr) }
.st-key-desk > :has(> .st-key-question) { grid-area: question }
.st-key-desk > :has(> .st-key-lens) { grid-area: lens }
.st-key-desk > :has(> .st-key-seen) { grid-area: seen }
@media (min-width: 1000px) or ((orientation: landscape) and (min-width: 600px)) {
    .st-key-desk {
        grid-template: "question lens" auto "seen lens" 1fr / max(320px, calc(280px * var(--room))) minmax(0, 1fr);
    }
}
"""
# The canvas is 280 px large for the server, and as large as the room allows for the pen.
QUESTION = """
:root { --room: 1 }
@media (min-width: 1200px) and (min-height: 680px) { :root { --room: 1.1 } }
@media (min-width: 1400px) and (min-height: 850px) { :root { --room: 1.4 } }
@media (min-width: 1800px) and (min-height: 1000px) { :root { --room: 1.714 } }
@media (orientation: landscape) and (max-height: 500px) { :root { --room: 0.75 } }
.st-key-canvas, .st-key-question [data-testid="stImage"], .st-key-Camera { zoom: var(--room) }
.st-key-question button { padding-inline: 0.4rem }
.st-key-question button p { font-size: 0.9rem }
.st-key-question .stHorizontalBlock { gap: 0.25rem }
.st-key-seen [data-testid="stImageCaption"] { white-space: nowrap }
"""
# A headline and its buttons take up to three lines on a phone: their card has room for them, so that nothing below it
# jumps. Nothing fades or slides into its new state: a browser would draw each step of it. A script alone takes no room.
PAGE = """
.stMainBlockContainer { padding: 3.75rem 1.5rem 1rem; max-width: 120rem }
[class*="st-key-card-"] { min-height: 4rem; padding-block: 0.5rem }
@media (max-width: 640px) {
    .stMainBlockContainer { padding: 3.75rem 1rem 1rem }
    [class*="st-key-card-"] { min-height: 8rem }
    .st-key-header > .st-key-tab { order: 1 }
}
.st-key-why_rank [data-testid="stButtonGroup"] > div { flex-wrap: wrap }
.st-key-why_rank button { min-height: 3rem }
.st-key-why_rank img { max-height: 2.25rem !important; height: 2.25rem !important }
.stElementContainer:has(> .stHtml > script:first-child) { position: absolute }
img[src$="#pixels"] { image-rendering: pixelated }
body { font-variant-numeric: tabular-nums }
[data-stale] { opacity: 1 !important; transition: none !important }
[data-testid='stProgress'] * { transition: none !important }
"""
# For a projector. A phone that opens the presented page keeps its type.
PRESENTED = """
@media (min-width: 1000px) {
    html { font-size: 20px }
    @media (max-height: 760px) { :root { --room: 1.08 } }
    .stVerticalBlock:not(.st-key-desk) { gap: 0.5rem }
    .st-key-question button span:has(> [data-testid="stIconMaterial"]) { display: none }
}
"""


# On a phone the menu covers the page, and Streamlit leaves it open on the page that was chosen.
CLOSE_MENU = """<script>
if (!window.closesMenu) {
    window.closesMenu = true
    const close = () => document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click()
    addEventListener("click", event => {
        if (innerWidth < 768 && event.target.closest("[data-testid=stSidebarNavLink]")) setTimeout(close, 0)
    }, {capture: true})
}
</script>"""


def fit_screen() -> None:
    """Have question, control and answer on the first screen."""
    st.html(f"<style>{DESK} {QUESTION} {PAGE}</style>{CLOSE_MENU}", unsafe_allow_javascript=True)


def fit_type(*, present: bool) -> None:
    """Larger type where the page is presented. Else this holds its place, so that nothing moves when that changes."""
    st.html(f"<style>{PRESENTED if present else '/* as usual */'}</style>")
