"""Links to the page of surveys that a gateway serves: signed, so that nothing need be kept of who was asked what.

links = SurveyLinks("https://feedback.example.org/surveys/acme", key, tenant="acme")
made = links.make("4711", ["csat"], queue="sales")
await producer.send_many(made.invitations())
mail(made.address())
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Id, Name
from stream.core.identity import opaque_id
from stream.core.windows import EPOCH
from stream.errors import InvalidEvent
from stream.families.surveys.events import SurveyInvited
from stream.families.surveys.scales import SCALES, Scale, SurveyKind, natural_scale
from stream.languages.words import Language
from stream.sdk.factory import EventFactory
from stream.sdk.surveys import RatedFields, SurveyEvents

__all__ = [
    "KEY_LENGTH",
    "LinkQuestion",
    "LinkTerms",
    "SurveyLink",
    "SurveyLinks",
    "SurveyReceipt",
    "link_in",
    "receipt_in",
    "sealed_link",
    "sealed_receipt",
]

KEY_LENGTH: Final = 32
"""A key has at least so many characters: who guesses it could answer for everybody."""

GOOD_FOR: Final = timedelta(days=14)

MAC_BYTES: Final = 16
"""Of HMAC-SHA256, the half of it that RFC 2104 asks for at least."""

_LONGEST: Final = 1000
"""Characters of a token: no longer one is made or looked at, since mail programs cut long links off."""

_VERSION: Final = b"\x01"

_LINK, _RECEIPT = b"contact-stream survey link", b"contact-stream survey receipt "
"""What is signed begins with what it is, so that one is never taken for the other."""

_Sealed = TypeVar("_Sealed", bound=Struct)

SurveyId = Annotated[str, Meta(min_length=1, max_length=128)]


class LinkQuestion(Struct, frozen=True, array_like=True):
    """One question; higher is better on every scale of the page."""

    kind: SurveyKind
    scale: Scale

    def __post_init__(self) -> None:
        if self.kind == "nps" and self.scale != "0-10":
            raise ValueError("NPS is asked on the scale 0-10")

    @property
    def scores(self) -> range:
        """The scores that may be given."""
        low, high = SCALES[self.scale]
        return range(low, high + 1)


class LinkTerms(Struct, frozen=True, array_like=True):
    """All that a link says. Who has the link can read it, and cannot change it."""

    survey: SurveyId
    questions: Annotated[tuple[LinkQuestion, ...], Meta(min_length=1, max_length=3)]
    until: Annotated[int, Meta(ge=0, le=2**33)]
    """The second since 1970 from which on the link is over."""
    tenant: Name
    queue: Name | None = None
    channel: Channel | None = None
    agent: Id | None = None
    group: Name | None = None
    customer: Id | None = None

    def __post_init__(self) -> None:
        if len({question.kind for question in self.questions}) < len(self.questions):
            raise ValueError("each kind can be asked once")

    @property
    def ends_at(self) -> datetime:
        """When the link is over."""
        return EPOCH + timedelta(seconds=self.until)

    def subject(self, question: LinkQuestion) -> str:
        """Return the survey that a question is: one has one answer, so each of several is a survey of its own."""
        return self.survey if len(self.questions) == 1 else f"{self.survey}/{question.kind}"

    def customer_of(self, question: LinkQuestion) -> str | None:
        """Return the customer with the first question only: whoever gets one link was asked once."""
        return self.customer if question == self.questions[0] else None


class SurveyReceipt(Struct, frozen=True, array_like=True):
    """What the customer has answered at one link, for the page that says so, and lets it be changed."""

    first_at: int
    """In seconds since 1970, when the answer was given that this one may have changed."""
    scores: dict[str, int]
    """By kind."""
    commented: bool = False
    """Whether there were words with it; a page never shows them again."""
    last_ms: int = 0
    """In milliseconds since 1970, when it was answered last; 0 in receipts of before this was kept."""


def sealed_link(terms: LinkTerms, key: str) -> str:
    """Return the end of a link's address; raises InvalidEvent, without a value, for what cannot be asked."""
    try:
        msgspec.convert(msgspec.to_builtins(terms), LinkTerms)
    except (msgspec.ValidationError, TypeError) as failure:
        raise InvalidEvent("invalid_field", f"no link can be made: {failure}") from None
    token = _sealed(_LINK, terms, key)
    if len(token) > _LONGEST:
        raise InvalidEvent(
            "invalid_field", f"no link can be made: with such ids it has more than {_LONGEST} characters"
        )
    return token


def link_in(token: str, keys: Iterable[str]) -> LinkTerms | None:
    """Return what a link says if one of the *keys* has signed it, be it over or not; None for any other text."""
    return _unsealed(_LINK, token, keys, LinkTerms)


def sealed_receipt(receipt: SurveyReceipt, link: str, key: str) -> str:
    """Return the end of the address of a receipt, which is good behind its *link* alone."""
    return _sealed(_RECEIPT + link.encode(), receipt, key)


def receipt_in(token: str, link: str, keys: Iterable[str]) -> SurveyReceipt | None:
    """Return the receipt if one of the *keys* has signed it for this *link*."""
    return _unsealed(_RECEIPT + link.encode(errors="surrogatepass"), token, keys, SurveyReceipt)


def _sealed(purpose: bytes, content: Struct, key: str) -> str:
    signed = _VERSION + msgspec.msgpack.encode(content)
    return urlsafe_b64encode(signed + _mac(purpose, signed, key)).rstrip(b"=").decode()


def _unsealed(purpose: bytes, token: str, keys: Iterable[str], kind: type[_Sealed]) -> _Sealed | None:
    if len(token) > _LONGEST or not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
        return None
    try:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if urlsafe_b64encode(sealed).rstrip(b"=").decode() != token:
        # Bits that stand for nothing: one link would have several spellings, each answered as fast as one.
        return None
    signed, mac = sealed[:-MAC_BYTES], sealed[-MAC_BYTES:]
    # All keys are tried: how long it takes tells nothing of which one it was.
    # One that is too short may have got into the file after that was looked at.
    good = [hmac.compare_digest(mac, _mac(purpose, signed, key)) for key in keys if len(key) >= KEY_LENGTH]
    if not any(good):
        return None
    try:
        return msgspec.msgpack.decode(signed[len(_VERSION) :], type=kind) if signed[:1] == _VERSION else None
    except msgspec.MsgspecError:
        return None


def _mac(purpose: bytes, signed: bytes, key: str) -> bytes:
    return hmac.digest(key.encode(), purpose + b"\0" + signed, "sha256")[:MAC_BYTES]


class SurveyLink(Struct, frozen=True):
    """One customer's link."""

    page: str
    token: str
    terms: LinkTerms
    source: str
    made_at: datetime

    def address(self, language: Language | None = None, **scores: int) -> str:
        """Return the address to send; with *scores* by kind, the one that has them chosen already."""
        told = {key: str(value) for key, value in {"language": language, **scores}.items() if value is not None}
        return f"{self.page}/{self.token}" + (f"?{urlencode(told)}" if told else "")

    def invitations(self) -> list[SurveyInvited]:
        """Return the events that say that the customer was asked; made again, they have the same ids."""
        return [self._invitation(question) for question in self.terms.questions]

    def _invitation(self, question: LinkQuestion) -> SurveyInvited:
        terms, subject = self.terms, self.terms.subject(question)
        factory = EventFactory(self.source, tenant=terms.tenant, new_id=lambda: f"{subject}/invited")
        rated: RatedFields = {
            "queue": terms.queue,
            "channel": terms.channel,
            "agent": terms.agent,
            "group": terms.group,
        }
        customer = terms.customer_of(question)
        return SurveyEvents(factory).invited(subject, question.kind, at=self.made_at, customer=customer, **rated)


class SurveyLinks:
    """
    Makes links to *page*, which is the address of a survey of the gateway, up to its name.

    *source* is that of the invitations. Raises InvalidEvent for a key that is too short.
    """

    def __init__(self, page: str, key: str, *, tenant: str = DEFAULT_TENANT, source: str = "/surveys") -> None:
        if len(key) < KEY_LENGTH:
            raise InvalidEvent("invalid_field", f"a key has at least {KEY_LENGTH} characters: openssl rand -hex 32")
        self._page, self._key = page.rstrip("/"), key
        self._tenant, self._source = tenant, source

    def make(  # noqa: PLR0913  # all that a link may say
        self,
        survey: str,
        kinds: Sequence[SurveyKind],
        *,
        scales: Sequence[Scale] = (),
        good_for: timedelta = GOOD_FOR,
        at: datetime | None = None,
        queue: str | None = None,
        channel: Channel | None = None,
        agent: str | None = None,
        group: str | None = None,
        customer: str | None = None,
    ) -> SurveyLink:
        """
        Return the link of one survey; *survey* and all that is rated stand in it, for the customer to see.

        *scales* are those of the *kinds*, in their order; by default each kind has its own.
        """
        made_at = datetime.now(UTC) if at is None else at
        if any(one and opaque_id(one) is None for one in (agent, customer)):
            detail = "no link can be made: agent and customer are opaque ids, never an address or a telephone number"
            raise InvalidEvent("invalid_field", detail)
        try:
            # A scale for each kind, or for none: one too few would ask with another than was meant.
            chosen = list(zip(kinds, scales or map(natural_scale, kinds), strict=True))
            questions = tuple(LinkQuestion(kind, scale) for kind, scale in chosen)
            until = -((EPOCH - made_at - good_for) // timedelta(seconds=1))
            terms = LinkTerms(survey, questions, until, self._tenant, queue, channel, agent, group, customer)
        except (ValueError, TypeError, KeyError, OverflowError) as failure:
            raise InvalidEvent("invalid_field", f"no link can be made: {failure}") from None
        return SurveyLink(self._page, sealed_link(terms, self._key), terms, self._source, made_at)
