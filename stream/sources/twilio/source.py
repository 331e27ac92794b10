"""Twilio's TaskRouter as a source: a webhook for the callbacks of a workspace, and for a sink of Event Streams."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Name
from stream.sources.intake import Intake
from stream.sources.requests.parts import UnusablePart, told_by_each
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import Received, Setup, Source, Webhook
from stream.sources.twilio.mapper import TaskRouterMapper
from stream.sources.twilio.records import TaskRouterRecord, records_in
from stream.sources.twilio.signature import empty_request, is_signed
from stream.sources.twilio.vocabulary import TwilioVocabulary, WaitEnd, WorkerPresence

__all__ = ["SOURCE", "Options", "TwilioWebhook"]


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a workspace of TaskRouter."""

    token_file: Annotated[Path, Meta(description="The account's auth token, or a shared key; one in each line.")]
    tenant: Annotated[Name, Meta(description="Whose tasks they are.")] = DEFAULT_TENANT
    channels: Annotated[
        Mapping[str, Channel], Meta(description="What unique names of task channels mean; unknown ones are `task`.")
    ] = field(default_factory=dict)
    activities: Annotated[
        Mapping[str, WorkerPresence], Meta(description="What activities mean: available, not_ready or offline.")
    ] = field(default_factory=dict)
    canceled_reasons: Annotated[
        Mapping[str, WaitEnd], Meta(description="How the wait of a canceled task ended, by the reason that was given.")
    ] = field(default_factory=dict)
    stale_after_seconds: Annotated[
        int, Meta(ge=1, description="A callback of something that is longer ago is refused: somebody repeats it.")
    ] = 300
    stream_stale_after_seconds: Annotated[
        int, Meta(ge=1, description="The same for Event Streams, which tries again for four hours.")
    ] = 5 * 3600


class TwilioWebhook(Webhook):
    """Receives what TaskRouter tells of one workspace, or several; raises SettingsError."""

    def __init__(self, options: Options, intake: Intake) -> None:
        self._tokens = SecretLines(options.token_file)
        self._limits = {
            False: timedelta(seconds=options.stale_after_seconds),
            True: timedelta(seconds=options.stream_stale_after_seconds),
        }
        self._intake = intake
        vocabulary = TwilioVocabulary(
            channels=options.channels, activities=options.activities, canceled_reasons=options.canceled_reasons
        )
        self._mapper = TaskRouterMapper(tenant=options.tenant, vocabulary=vocabulary, intake=intake)

    def verified(self, request: Received) -> bool:
        """Tell whether Twilio signed the request."""
        return is_signed(request, self._tokens.all())

    def events(self, request: Received) -> Iterator[Event]:
        """Return what a request tells that Twilio signed; what is stale or of no use is counted."""
        return told_by_each(records_in(request), lambda record, _: self._told(record, request), request, self._intake)

    def _told(self, record: TaskRouterRecord, request: Received) -> Iterator[Event]:
        if request.at - record.at > self._limits[record.streamed]:
            # A signature has no date, so whoever has once heard a request could repeat it for ever.
            raise UnusablePart("stale", f"{record.kind} is of long ago")
        yield from self._mapper.map(record)


SOURCE: Final = Source(
    name="twilio",
    about="Twilio TaskRouter: the event callbacks of a workspace, or Event Streams.",
    options=Options,
    webhook=TwilioWebhook,
    setup=Setup(
        secret_of_system=True,
        steps="""\
Either Event Streams, which try again for four hours:
   twilio api:events:v1:sinks:create --description contact-stream --sink-type webhook \\
       --sink-configuration '{"destination": "{url}", "method": "POST", "batch_events": true}'
   then a subscription of that sink to the kinds of the page;
or the callbacks of a workspace:
   twilio api:taskrouter:v1:workspaces:update --sid WS… --event-callback-url {url}
More: docs/sources/twilio.md""",
        empty_request=lambda _, token, url, at: empty_request(token, url, at),
    ),
)
