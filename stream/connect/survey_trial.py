"""A page of surveys as its gateway serves it: whether a link of ours opens it, and no other; and the first answer."""

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from aiohttp import ClientSession

from stream.connect.webhook_trial import WebhookTrial
from stream.doctor.finding import Finding, bad, good
from stream.doctor.pages import NoPage, text_of
from stream.gateway.survey_pages import SURVEYS_PATH
from stream.sdk.survey_links import SurveyLinks

__all__ = ["SurveyTrial"]

_GOOD_FOR: Final = timedelta(days=1)


class SurveyTrial(WebhookTrial, frozen=True, kw_only=True):
    """One page, tried at a gateway. To look at it tells nothing; an answer is one."""

    tenant: str = ""
    source_name: str = ""

    @property
    def url(self) -> str:
        """Return where links begin."""
        return f"{(self.public_url or self.gateway).rstrip('/')}{SURVEYS_PATH}/{self.name}"

    def link(self, key: str) -> str:
        """Return a link to the page, signed with *key*."""
        links = SurveyLinks(self.url, key, tenant=self.tenant, source=self.source_name)
        return links.make(f"trial-{secrets.token_hex(4)}", ["csat"], good_for=_GOOD_FOR).address()

    async def guarded(self, session: ClientSession) -> AsyncIterator[Finding]:
        """Yield who sees the page: nobody with a forged link, whoever has one of ours."""
        for key, expected, said in (
            (secrets.token_hex(32), 404, "a forged link is refused"),
            (self.secret, 200, "a link of ours opens the page; to look at it tells nothing"),
        ):
            try:
                status, _, _ = await text_of(session, self.link(key))
            except NoPage as failure:
                yield bad("page", str(failure), "look at what is before the gateway: it has to pass /surveys/ on")
                return
            if status != expected:
                advice = "have the address lead to this gateway, which reads this file, with the path unchanged"
                yield bad("page", f"{self.url} answers {status}, where {said}", advice)
                return
            yield good("page", said)
