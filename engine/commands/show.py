"""`strikeout show`: a ruleset as a document."""

from __future__ import annotations

import click

from ..documents.markdown import markdown
from ..documents.page import page
from ..documents.policy import policy_document
from ..gate.case_files import read_cases
from ..gate.check import check
from ..machine.compiled import CompiledProgram
from ..reach.library import Files, cases_beside, locate
from ..reach.writing import writing
from .names import ruleset_argument
from .terminal import language_option, set_option

FORMATS = ("md", "html", "yaml")


def format_of(output: str | None) -> str:
    """The format that the suffix of a file's name asks for; Markdown where it says nothing.

    >>> format_of("policy.html"), format_of(None)
    ('html', 'md')
    """
    suffix = (output or "").rpartition(".")[2].lower()
    return {"htm": "html", "yml": "yaml"}.get(suffix, suffix if suffix in FORMATS else "md")


@click.command("show")
@ruleset_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    show_default="by the file's suffix, else md",
    help="Markdown, a page that needs nothing else, or the ruleset's own text.",
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE; else to standard output.")
@click.option(
    "--cases/--no-cases", default=True, show_default=True, help="Show the cases beside the ruleset as examples."
)
@click.option(
    "--code", is_flag=True, help="Show the Python code that the engine `compiled` makes of the rules and runs."
)
@click.option("--numba", is_flag=True, help="With --code: the code for many subjects at once, which numba compiles.")
@set_option
@language_option
def show_command(
    ruleset: str,
    form: str | None,
    output: str | None,
    cases: bool,
    code: bool,
    numba: bool,
    settings: dict[str, str],
    language: str,
) -> None:
    """Show a ruleset as a document: the policy in prose and tables.

    Its parameters, each rule with its clauses in prose and as written, ladders as tables, how kinds and rules hang
    together, and the cases of the case file beside it as examples (with --set they are left out, as they hold for the
    parameters as they are). With --code, the Python module that the engine `compiled` runs instead.
    """
    if numba and not code:
        raise click.UsageError("`--numba` chooses among the code that `--code` shows")
    if code and form:
        raise click.UsageError("`--code` shows Python, in no other `--format`")
    form = form or format_of(output)
    source = locate(ruleset)
    if code:
        program = CompiledProgram(check(source, Files(), settings))
        made = program.kernel()[0].source if numba else program.source()
    elif form == "yaml":
        if settings:
            raise click.UsageError("`--format yaml` shows the text as it is, in which `--set` changes nothing")
        made = source.text
    else:
        model = check(source, Files(), settings)
        beside = cases_beside(source) if cases and not settings else None
        examples = read_cases(beside, Files()).cases if beside is not None else ()
        blocks = policy_document(model, language, examples)
        made = page(blocks, language) if form == "html" else markdown(blocks)
    with writing(output) as file:
        file.write(made.encode())
