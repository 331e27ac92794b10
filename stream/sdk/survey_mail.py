"""The message that asks: a link for each score, as HTML and as text. A click chooses a score, and does not send it."""

from datetime import UTC, datetime, tzinfo
from html import escape
from typing import Final

from stream.languages.words import Language, words
from stream.sdk.survey_links import LinkQuestion, SurveyLink

__all__ = ["mail_html", "mail_subject", "mail_text", "score_word", "shown_time"]

_CELL: Final = (
    "display:inline-block;min-width:44px;margin:0 4px 8px 0;padding:10px 12px;border:1px solid #6b6b6b;"
    "border-radius:6px;color:#0b57d0;background:#ffffff;font-weight:bold;text-align:center;text-decoration:none"
)


def score_word(question: LinkQuestion, score: int, language: Language) -> str:
    """Return what a customer reads for a score: a number, or the word for a symbol."""
    return words(language)["web_survey"].get(f"{question.scale}_{score}", str(score))


def shown_time(at: datetime, zone: tzinfo = UTC) -> str:
    """Return an instant as customers of every language can read it, with the name of the zone: in autumn it tells."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def mail_subject(language: Language) -> str:
    """Return the subject of the message."""
    return words(language)["web_survey"]["mail_subject"]


def mail_text(link: SurveyLink, language: Language, zone: tzinfo = UTC) -> str:
    """Return the message as plain text; times are of the *zone*."""
    say = words(language)["web_survey"]
    parts = [say["mail_intro"]]
    for question in link.terms.questions:
        lines = [say[question.kind], *filter(None, [_ends(question, language)])]
        lines += [
            f"{score_word(question, score, language)}: {_address(link, question, score, language)}"
            for score in question.scores
        ]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, _until(link, language, zone)]) + "\n"


def mail_html(link: SurveyLink, language: Language, zone: tzinfo = UTC) -> str:
    """Return the message as HTML: what mail programs of every age show, and nothing that they fetch."""
    say = words(language)["web_survey"]
    asked = "".join(
        f'<p style="font-weight:bold">{escape(say[question.kind])}</p>'
        + (f"<p>{escape(ends)}</p>" if (ends := _ends(question, language)) else "")
        + "<p>"
        # With spaces between them, for programs that show no styles.
        + " ".join(_choice(link, question, score, language) for score in question.scores)
        + "</p>"
        for question in link.terms.questions
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(mail_subject(language))}</title></head>"
        '<body style="margin:0;padding:16px;font-family:sans-serif;font-size:16px;line-height:1.5;color:#1b1b1b;'
        f'background:#ffffff"><p>{escape(say["mail_intro"])}</p>{asked}<p>{escape(_until(link, language, zone))}</p>'
        "</body></html>\n"
    )


def _choice(link: SurveyLink, question: LinkQuestion, score: int, language: Language) -> str:
    address, word = _address(link, question, score, language), score_word(question, score, language)
    # Read by itself, a link must say what it chooses.
    label = escape(f"{words(language)['web_survey'][question.kind]} {word}", quote=True)
    return f'<a href="{escape(address, quote=True)}" aria-label="{label}" style="{_CELL}">{escape(word)}</a>'


def _address(link: SurveyLink, question: LinkQuestion, score: int, language: Language) -> str:
    return link.address(language, **{question.kind: score})


def _ends(question: LinkQuestion, language: Language) -> str:
    if not question.scale[0].isdigit():
        return ""
    say, scores = words(language)["web_survey"], question.scores
    low_word, high_word = say[f"{question.kind}_low"], say[f"{question.kind}_high"]
    return say["ends"].format(low=scores[0], low_word=low_word, high=scores[-1], high_word=high_word)


def _until(link: SurveyLink, language: Language, zone: tzinfo) -> str:
    return words(language)["web_survey"]["mail_until"].format(time=shown_time(link.terms.ends_at, zone))
