"""Documents as one page of HTML that needs nothing else: no script, no font, no address. All text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from strikeout.graphs.draw_svg import escape

from .blocks import Block, Bullets, Code, Figure, Heading, Listing, Paragraph, Table, Terms, Text

_STYLE = """
:root{color-scheme:light dark;--page:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d5d9de;--band:#f4f6f8;--link:#0b57a4;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono','Noto Sans Mono CJK SC',monospace;
--sans:'Helvetica Neue',Arial,'Liberation Sans','Noto Sans','PingFang SC','Hiragino Sans GB','Microsoft YaHei',
'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','WenQuanYi Micro Hei',sans-serif}
@media (prefers-color-scheme:dark){:root{--page:#14181d;--ink:#e6e9ec;--soft:#a3adb8;--line:#39424c;--band:#1e242b;
--link:#7ab8ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.6 var(--sans)}
.sheet{max-width:86rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
main,header{min-width:0;max-width:64rem}
h1{font-size:1.9rem;line-height:1.25;margin:.2rem 0 1rem;text-wrap:balance}
h2{font-size:1.35rem;line-height:1.3;margin:2.6rem 0 .8rem;padding-bottom:.3rem;border-bottom:2px solid var(--line)}
h3{font-size:1.08rem;line-height:1.4;margin:2rem 0 .5rem}
h1,h2,h3,p,li,dd{overflow-wrap:anywhere}
td,td code{overflow-wrap:break-word}
p{margin:.5rem 0}
a{color:var(--link)}
code{font:.88em/1.4 var(--mono);background:var(--band);border-radius:.25em;padding:.08em .22em;overflow-wrap:anywhere}
h3 code{font-weight:400}
pre{background:var(--band);border:1px solid var(--line);border-radius:.4rem;padding:.7rem .9rem;margin:.4rem 0 1rem;
overflow-x:auto;font:.85rem/1.5 var(--mono)}
pre code{background:none;padding:0;font:inherit;overflow-wrap:normal}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.1rem;margin:.6rem 0 1rem}
dt{font-weight:600;color:var(--soft)}
dd{margin:0}
dd ul,ul{margin:0;padding-left:1.2em}
.scroll{overflow-x:auto;margin:.6rem 0 1rem}
.scroll:focus-visible,pre:focus-visible{outline:2px solid var(--link)}
table{border-collapse:collapse;min-width:60%;font-size:.94rem;font-variant-numeric:tabular-nums}
th,td{padding:.35em .9em .35em 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{border-bottom-color:var(--soft);color:var(--soft);font-weight:600;white-space:nowrap}
td:first-child{white-space:nowrap}
table.many{min-width:46rem}
caption{text-align:left;font-weight:600;padding:.3em 0}
figure{margin:1rem 0;overflow-x:auto}
nav{font-size:.92rem;margin:0 0 1.5rem}
nav h2{font-size:1rem;margin:0 0 .4rem;border:0;padding:0}
nav ul{list-style:none;margin:0;padding:0}
nav ul ul{padding-left:1rem}
nav a{text-decoration:none;display:inline-block;padding:.12rem 0}
nav a:hover,nav a:focus{text-decoration:underline}
.skip{position:absolute;left:-100rem}
.skip:focus{position:static}
@media (min-width:72rem){
.sheet{display:grid;grid-template-columns:16rem minmax(0,64rem);grid-template-rows:auto 1fr;column-gap:2.5rem}
header,main{grid-column:2}
nav{grid-column:1;grid-row:1/3;position:sticky;top:1rem;align-self:start;max-height:calc(100vh - 2rem);overflow-y:auto}
}
@media (max-width:71.99rem){
nav ul{display:flex;flex-wrap:wrap;gap:.1rem 1.2rem}
nav ul ul,nav h2{display:none}
}
@media (max-width:36rem){
body{font-size:15px}
.sheet{padding:1rem .9rem 3rem}
h1{font-size:1.5rem}
dl{display:block}
dt{margin-top:.5rem}
table{font-size:.9rem}
}
@media print{
:root{--page:#fff;--ink:#000;--soft:#444;--line:#bbb;--band:#f6f6f6;--link:#000}
body{font-size:10.5pt}
nav,.skip{display:none}
.sheet,main{display:block;max-width:none;padding:0}
h2,h3{break-after:avoid}
tr,pre,dl,figure{break-inside:avoid}
pre{white-space:pre-wrap}
figure svg{max-width:100%;height:auto}
.scroll,figure{overflow:visible}
}
"""

_WORDS = {"zh": ("目录", "跳到正文"), "en": ("Contents", "Skip to the text")}


def page(blocks: Sequence[Block], language: str) -> str:
    """A document as a whole page, with its contents beside it.

    Parameters
    ----------
    blocks : sequence of Block
        The document; its first heading is the page's title.
    language : str
        `zh` or `en`.

    Returns
    -------
    str
        HTML that is light or dark as its reader's screen is, and prints.

    Examples
    --------
    >>> from .blocks import text
    >>> made = page([Heading(1, text("A <policy>"), "top")], "en")
    >>> "<title>A &lt;policy&gt;</title>" in made, "<script" in made
    (True, False)
    """
    title = next((_plain(b.text) for b in blocks if isinstance(b, Heading)), "")
    contents, skip = _WORDS[language]
    at = next((place for place, b in enumerate(blocks) if isinstance(b, Heading)), -1) + 1
    head, body = ("\n".join(_block(block) for block in part) for part in (blocks[:at], blocks[at:]))
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if language == "zh" else language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#top">{skip}</a>\n<div class="sheet">\n'
        f"<header>\n{head}\n</header>\n"
        f'<nav aria-label="{contents}"><h2>{contents}</h2>{_contents(blocks)}</nav>\n'
        f"<main>\n{body}\n</main>\n</div>\n</body>\n</html>\n"
    )


def _contents(blocks: Iterable[Block]) -> str:
    """The contents: sections, and the parts of those that have few."""
    sections: list[tuple[Heading, list[Heading]]] = []
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            sections.append((block, []))
        elif isinstance(block, Heading) and block.level == 3 and sections:
            sections[-1][1].append(block)
    lines = []
    for section, within in sections:
        inner = "".join(f"<li>{_link(part)}</li>" for part in within)
        lines.append(f"<li>{_link(section)}{f'<ul>{inner}</ul>' if inner else ''}</li>")
    return f"<ul>{''.join(lines)}</ul>"


def _link(heading: Heading) -> str:
    return f'<a href="#{escape(heading.anchor)}">{escape(_plain(heading.text))}</a>'


def _block(block: Block) -> str:
    match block:
        case Heading(level=level, text=text, anchor=anchor):
            return f'<h{level} id="{escape(anchor)}">{inline(text)}</h{level}>'
        case Paragraph(text=text):
            return f"<p>{inline(text)}</p>"
        case Bullets(texts=texts):
            return _list(texts)
        case Terms(pairs=pairs):
            told = "".join(
                f"<dt>{escape(term)}</dt><dd>{inline(texts[0]) if len(texts) == 1 else _list(texts)}</dd>"
                for term, texts in pairs
            )
            return f"<dl>{told}</dl>"
        case Table():
            return _table(block)
        case Listing(lines=lines):
            return f'<pre tabindex="0"><code>{escape(chr(10).join(lines))}</code></pre>'
        case Figure(svg=svg):
            return f'<figure tabindex="0">{svg}</figure>'


def _list(texts: Iterable[Text]) -> str:
    return f"<ul>{''.join(f'<li>{inline(text)}</li>' for text in texts)}</ul>"


def _table(table: Table) -> str:
    many = ' class="many"' if len(table.headings) > 4 else ""
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in table.headings)
    rows = "".join(f"<tr>{''.join(f'<td>{inline(cell)}</td>' for cell in row)}</tr>\n" for row in table.rows)
    return (
        f'<div class="scroll" tabindex="0"><table{many}>{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}</tbody></table></div>"
    )


def inline(text: Text) -> str:
    """A line of text as HTML.

    >>> inline(("a < b ", Code("c&d")))
    'a &lt; b <code>c&amp;d</code>'
    """
    return "".join(f"<code>{escape(part.text)}</code>" if isinstance(part, Code) else escape(part) for part in text)


def _plain(text: Text) -> str:
    return "".join(part.text if isinstance(part, Code) else part for part in text)
