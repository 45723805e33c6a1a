"""The lesson's sheets as PDF, printed by Chromium from their Markdown: `make lesson`."""

from pathlib import Path

from browser import chromium
from markdown_it import MarkdownIt

LESSON = Path(__file__).parent.parent / "docs" / "lesson"
SHEETS = "worksheet", "solutions"
STYLE = """
body { font: 11pt/1.45 "DejaVu Sans", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 18pt; margin: 0 0 8pt }
h2 { font-size: 12pt; margin: 14pt 0 2pt; break-after: avoid }
p { margin: 4pt 0 }
li { margin: 6pt 0 }
hr { margin: 22pt 0 4pt; border: 0; border-top: 1px solid #888 }
table { border-collapse: collapse; width: 100%; margin: 4pt 0 }
th, td { border: 1px solid #444; padding: 4pt; height: 12pt; text-align: left }
"""


def main():
    """Print each sheet on A4."""
    markdown = MarkdownIt().enable("table")
    with chromium() as browser:
        page = browser.new_page()
        for name in SHEETS:
            body = markdown.render((LESSON / f"{name}.md").read_text("utf-8"))
            page.set_content(f'<!doctype html><html lang="en"><title>{name}</title><style>{STYLE}</style>{body}</html>')
            margin = dict.fromkeys(("top", "right", "bottom", "left"), "16mm")
            page.pdf(path=LESSON / f"{name}.pdf", format="A4", margin=margin)


if __name__ == "__main__":
    main()
