"""The IPython extension: `%load_ext strikeout` brings `%%ruleset`, `%%cases` and `%strikeout`.

Whatever is shown is HTML and plain text at once; a notebook takes the first, a terminal the second. Nothing of IPython
is imported but what it hands over, so that `strikeout` does not need it.
"""

from __future__ import annotations

from typing import Any

from ..ground.problems import RulesetError, RunError, StrikeoutError, quoted, render
from ..interface.conclusions import Conclusions
from ..interface.loaded import LoadedRuleset
from ..interface.ruleset import Ruleset
from ..interface.runs import Runs
from ..reach.files import Rows
from ..speech.html import paragraph
from ..why.answer import Answer
from .case_page import case_lines, cases_html
from .cells import ruleset_of, run_cases, source_of
from .completion import Completion
from .options import Options, options
from .problem_page import problems_html

SHOWN = (Answer, Conclusions, LoadedRuleset, Rows, Runs)
"""What is shown in the language that `%strikeout --lang` says."""

UNBOUND = ("`{}` 未绑定，请改正后重新运行", "`{}` is not bound: correct the cell and run it again")


class Extension:
    """The magics of one shell.

    Parameters
    ----------
    shell : InteractiveShell
        The shell of IPython.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.language = "en"
        self.completion = Completion()

    def load(self) -> None:
        """Register the magics and the completion."""
        self.shell.register_magic_function(self.ruleset, "cell", "ruleset")
        self.shell.register_magic_function(self.cases, "line_cell", "cases")
        self.shell.register_magic_function(self.strikeout, "line", "strikeout")
        self.completion.load(self.shell)

    def unload(self) -> None:
        """Take all of it back."""
        for kind, name in (("cell", "ruleset"), ("cell", "cases"), ("line", "cases"), ("line", "strikeout")):
            self.shell.magics_manager.magics[kind].pop(name, None)
        self.completion.unload(self.shell)
        self._say_all("en")

    # The magics; their docstrings are what `%%ruleset?` shows.

    def ruleset(self, line: str, cell: str) -> None:
        """Check the ruleset in this cell; where it is right, bind it to NAME and show it.

        %%ruleset [NAME] [--lang zh|en] [--set PARAM=VALUE] [--quiet]

        NAME is `ruleset` unless told. Every problem is shown under its line; where there is an error, NAME is unbound.
        `extends` and `include` also find the rulesets of other cells, by the names that they give themselves.
        """
        given = self._options(line, ("NAME", "--lang", "--set", "--quiet"))
        name = given.name or "ruleset"
        language = given.language or self.language
        try:
            made = ruleset_of(source_of(name, f"%%ruleset {line}", cell), self._rulesets(), given.parameters)
        except RulesetError as error:
            self.shell.user_ns.pop(name, None)
            told = UNBOUND[language != "zh"].format(name)
            page = problems_html(error.problems) + paragraph(told)
            self._show(page, f"{render(error.problems)}\n\n{told}")
            return
        self.shell.user_ns[name] = made
        own = [problem for problem in made.warnings if problem.span.source is made.source]
        if own:
            self._show(problems_html(own), render(own))
        if not given.quiet:
            self._show(made.html(language), made.text(language))

    def cases(self, line: str, cell: str | None = None) -> None:
        """Run the cases in this cell and show which pass, and why the others do not.

        %%cases [NAME] [--lang zh|en]
        %cases NAME [--lang zh|en]

        The cell is a case file; `ruleset:` names a ruleset of another cell, of a file beside the notebook, or a shipped
        one. The text is bound to NAME; `%cases NAME` runs it again, with the rulesets as they are then.
        """
        given = self._options(line, ("NAME", "--lang"))
        language, name = given.language or self.language, given.name
        if cell is None:
            cell = self.shell.user_ns.get(name)
            if not isinstance(cell, str):
                raise self._wrong(
                    f"`%cases` takes the NAME of a text of cases; there is none of the name {quoted(name)}"
                )
        elif name:
            self.shell.user_ns[name] = cell
        try:
            results = run_cases(source_of(name or "cases", f"%%cases {line}", cell), self._rulesets(), language)
        except RulesetError as error:
            self._show(problems_html(error.problems), render(error.problems))
            return
        self._show(cases_html(results, language), "\n".join(case_lines(results, language)))

    def strikeout(self, line: str) -> None:
        """Say in which language rulesets, outcomes and answers are shown from here on.

        %strikeout --lang zh|en
        """
        language = self._options(line, ("--lang",)).language
        if not language:
            raise self._wrong("`%strikeout` takes `--lang zh` or `--lang en`")
        self._say_all(language)

    def _options(self, line: str, allowed: tuple[str, ...]) -> Options:
        try:
            return options(line, allowed)
        except RunError as error:
            raise self._wrong(str(error)) from None

    def _wrong(self, message: str) -> Exception:
        """What IPython shows without a traceback."""
        try:
            from IPython.core.error import UsageError
        except ImportError:
            return StrikeoutError(message)
        found: Exception = UsageError(message)
        return found

    def _rulesets(self) -> list[Ruleset]:
        """The rulesets that the notebook holds, in the order in which they were bound."""
        return [value for name, value in self.shell.user_ns.items() if isinstance(value, Ruleset) and name[:1] != "_"]

    def _say_all(self, language: str) -> None:
        """Show everything in a language from here on."""
        self.language = language
        formatters = self.shell.display_formatter.formatters
        for kind in SHOWN:
            formatters["text/html"].for_type(kind, lambda shown: shown.html(language))
            formatters["text/plain"].for_type(kind, lambda shown, printer, _: printer.text(shown.text(language)))

    def _show(self, page: str, text: str) -> None:
        self.shell.display_pub.publish({"text/html": page, "text/plain": text})
