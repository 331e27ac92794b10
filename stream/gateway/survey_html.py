"""The page of a survey as HTML: plain forms without scripts, in the customer's language, for any reader and any screen.

All that comes from a link, a form or a file is escaped by `_text`, the only place where a value becomes HTML.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from html import escape
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct, field

from stream.gateway.survey_answers import LONGEST_COMMENT, WebAnswer
from stream.gateway.survey_file import SurveyOptions
from stream.languages.words import LANGUAGES, Language, name_of, words
from stream.sdk.survey_links import LinkQuestion, LinkTerms
from stream.sdk.survey_mail import score_word, shown_time

__all__ = ["PAGE_HEADERS", "SurveyScreen", "preferred_language"]

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --quiet: #4a4a4a; --line: #6b6b6b; --mark: #0b57d0;
  --on-mark: #fff; --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #f1f1f1; --paper: #161616; --quiet: #c9c9c9; --line: #9a9a9a;
  --mark: #a8c7fa; --on-mark: #10243e; --wrong: #ffb4ab; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.125rem/1.5 system-ui, sans-serif; }
main, nav, footer { max-width: 40rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1, h2 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 2rem; }
fieldset { border: 0; margin: 0 0 1.5rem; padding: 0; min-width: 0; }
legend { font-weight: 600; padding: 0; margin-bottom: .5rem; }
.quiet { color: var(--quiet); margin: 0 0 .75rem; }
.scores { display: flex; flex-wrap: wrap; gap: .5rem; }
.scores label { display: flex; align-items: center; gap: .5rem; min-height: 3rem; min-width: 4rem;
  padding: .25rem .75rem; border: 1px solid var(--line); border-radius: .5rem; cursor: pointer; }
.scores label:has(:checked) { border-color: var(--mark); box-shadow: 0 0 0 1px var(--mark); font-weight: 600; }
input[type=radio] { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--mark); }
textarea { display: block; width: 100%; min-height: 7rem; margin: .25rem 0 .5rem; padding: .5rem; font: inherit;
  color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; }
button { min-height: 3rem; padding: .5rem 1.5rem; font: inherit; font-weight: 600; color: var(--on-mark);
  background: var(--mark); border: 2px solid var(--mark); border-radius: .5rem; cursor: pointer; }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.scores label:has(:focus-visible) { outline: 3px solid var(--ink); outline-offset: 2px; }
.scores label:has(:focus-visible) input { outline-width: 0; }
.wrong { color: var(--wrong); font-weight: 600; padding-inline-start: .75rem;
  border-inline-start: .25rem solid var(--wrong); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; margin: 0; padding: 0; }
nav a, footer a { display: inline-block; padding: .75rem 0; color: inherit; }
nav [aria-current] { font-weight: 600; text-decoration: none; }
"""

_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()

PAGE_HEADERS: Final[Mapping[str, str]] = {
    # The one style is named by its digest: what else gets into the page is no style, and no script whatsoever.
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",  # for browsers that know no frame-ancestors
    "X-Content-Type-Options": "nosniff",
    # The address is the customer's right to answer: nobody else may learn it.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Language",
}

_SYMBOLS: Final = {
    "thumbs": {0: "👎", 1: "👍"},
    "smileys": {1: "🙁", 2: "😐", 3: "🙂"},
}
"""Shown beside the words, which are what is read aloud."""


def _text(value: object) -> str:
    """Return a value as it stands in HTML, in a text or in an attribute with quotes."""
    return escape(str(value), quote=True)


def preferred_language(asked: str, accepted: str) -> Language:
    """Return the language of a page: the one *asked* for, else the best of a header Accept-Language, else English."""
    weighed: list[tuple[float, int, str]] = [(2.0, 0, asked)]
    for place, one in enumerate(accepted[:1000].split(",")):
        tag, _, weight = one.partition(";")
        weighed.append((_weight(weight), -place, tag.strip().lower().partition("-")[0]))
    wanted = [tag for weight, _, tag in sorted(weighed, reverse=True) if weight > 0]
    return next((known for tag in wanted for known in LANGUAGES if known == tag), LANGUAGES[0])


def _weight(told: str) -> float:
    name, _, number = told.strip().partition("=")
    try:
        return min(float(number), 1.0) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


class SurveyScreen(Struct, frozen=True):
    """One page for one reader."""

    options: SurveyOptions
    language: Language
    chosen: Mapping[str, int] = field(default_factory=dict)
    """By kind: what a link of the mail, or a form that was not taken, has chosen."""
    zone: tzinfo = UTC
    """In which times are shown."""

    def form(self, terms: LinkTerms, answer: WebAnswer | None = None, *, at: datetime, wrong: str = "") -> str:
        """Return the page that asks; *wrong* is the key of what was wrong with what was sent."""
        company = self.options.company
        lead = f"<p>{self._say('lead', company=company)}</p>" if company else ""
        # Who has clicked in a message takes that for the answer, and the button may be far below.
        note = "" if wrong or not self.chosen else f"<p>{self._say('chosen', button=self._words['send'])}</p>"
        body = f"<h1>{self._say('title')}</h1>{lead}{note}{self._form(terms, answer, at, 'send', wrong)}"
        return self._page(self._title("title", wrong), body)

    def receipt(  # what a receipt says, and what was sent from it
        self,
        terms: LinkTerms,
        scores: Mapping[str, int],
        until: datetime,
        answer: WebAnswer | None = None,
        *,
        at: datetime,
        wrong: str = "",
    ) -> str:
        """Return the page that thanks, says what was answered, and lets it be changed while that may be."""
        parts = [f"<h1>{self._say('thanks')}</h1>"]
        for question in terms.questions:
            if question.kind in scores:
                word = score_word(question, scores[question.kind], self.language)
                parts.append(f"<p>{self._say('said', question=self._words[question.kind], score=word)}</p>")
        if at < until:
            parts.append(f"<p>{self._say('changeable', time=shown_time(until, self.zone))}</p>")
            parts.append(f"<h2>{self._say('change_heading')}</h2>{self._form(terms, answer, at, 'change', wrong)}")
        else:
            parts.append(f"<p>{self._say('not_changeable')}</p>")
        return self._page(self._title("thanks", wrong), "".join(parts))

    def notice(self, heading: str, sentence: str, **blanks: str) -> str:
        """Return a page that only says something."""
        body = f"<h1>{self._say(heading)}</h1><p>{self._say(sentence, **blanks)}</p>"
        return self._page(self._words[heading], body)

    @property
    def _words(self) -> Mapping[str, str]:
        return words(self.language)["web_survey"]

    def _say(self, key: str, **blanks: str) -> str:
        # Filled in first: what is filled in is escaped with the sentence.
        return _text(self._words[key].format_map(blanks))

    def _title(self, key: str, wrong: str) -> str:
        # The first thing that is read aloud.
        return f"{self._words['error']}: {self._words[wrong]}" if wrong else self._words[key]

    def _form(self, terms: LinkTerms, answer: WebAnswer | None, at: datetime, send: str, wrong: str) -> str:
        error = f'<p id="wrong" class="wrong" role="alert">{self._say(wrong)}</p>' if wrong else ""
        chosen = self.chosen if answer is None else answer.scores
        asked = "".join(
            self._question(terms, one, chosen.get(one.kind), described=bool(wrong)) for one in terms.questions
        )
        comment = self._comment("" if answer is None else answer.comment)
        # When it was shown tells two answers that are alike apart, and is the same in a form that is sent twice.
        shown = f'<input type="hidden" name="shown" value="{at.astimezone(UTC).timestamp() * 1000:.0f}">'
        button = f'<button type="submit">{self._say(send)}</button>'
        return (
            f'<form method="post" action="?language={self.language}" accept-charset="utf-8">'
            f"{error}{asked}{comment}{shown}{button}</form>"
        )

    def _question(self, terms: LinkTerms, question: LinkQuestion, chosen: int | None, *, described: bool) -> str:
        kind, scores = question.kind, question.scores
        hint = ""
        if question.scale[0].isdigit():
            low, high = self._words[f"{kind}_low"], self._words[f"{kind}_high"]
            ends = self._say("ends", low=str(scores[0]), low_word=low, high=str(scores[-1]), high_word=high)
            hint = f'<p id="{kind}-ends" class="quiet">{ends}</p>'
        by = " ".join([*(["wrong"] if described else []), *([f"{kind}-ends"] if hint else [])])
        # Of several questions one may be left out, and no browser can be told so of all together.
        required = " required" if len(terms.questions) == 1 else ""
        choices = "".join(
            f'<label><input type="radio" name="{kind}" value="{score}"{required}'
            f"{' checked' if score == chosen else ''}>{self._symbol(question, score)}"
            f"<span>{_text(score_word(question, score, self.language))}</span></label>"
            for score in scores
        )
        described_by = f' aria-describedby="{by}"' if by else ""
        return (
            f"<fieldset{described_by}><legend>{self._say(kind)}</legend>{hint}"
            f'<div class="scores">{choices}</div></fieldset>'
        )

    @staticmethod
    def _symbol(question: LinkQuestion, score: int) -> str:
        symbol = _SYMBOLS.get(question.scale, {}).get(score)
        return f'<span aria-hidden="true">{symbol}</span>' if symbol else ""

    def _comment(self, written: str) -> str:
        if self.options.comments == "none":
            return ""
        return (
            f'<p><label for="comment">{self._say("comment")}</label>'
            # A newline after the tag is no part of the text, so that one which was written stays.
            f'<textarea id="comment" name="comment" maxlength="{LONGEST_COMMENT}" rows="4" '
            f'aria-describedby="comment-use">\n{_text(written)}</textarea>'
            f'<span id="comment-use" class="quiet">{self._say("comment_" + self.options.comments)}</span></p>'
        )

    def _page(self, title: str, body: str) -> str:
        company = self.options.company
        title = f"{title} – {company}" if company else title
        return (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="robots" content="noindex, nofollow"><meta name="referrer" content="no-referrer">'
            f"<title>{_text(title)}</title><style>{_STYLE}</style></head>"
            f"<body><main>{body}</main>{self._switch()}{self._privacy()}</body></html>"
        )

    def _switch(self) -> str:
        links = "".join(map(self._switch_to, LANGUAGES))
        return f'<nav aria-label="{self._say("languages")}"><ul>{links}</ul></nav>'

    def _switch_to(self, language: Language) -> str:
        # What was chosen stays so.
        address = _text("?" + urlencode({**self.chosen, "language": language}))
        current = ' aria-current="true"' if language == self.language else ""
        named = _text(name_of(language))
        return f'<li><a href="{address}" lang="{language}" hreflang="{language}"{current}>{named}</a></li>'

    def _privacy(self) -> str:
        if not self.options.privacy_url:
            return ""
        link = f'<a href="{_text(self.options.privacy_url)}" rel="noreferrer noopener">{self._say("privacy")}</a>'
        return f"<footer>{link}</footer>"
