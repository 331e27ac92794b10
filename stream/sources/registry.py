"""Every source, one line each: what `produce`, `replay` and `contact-stream source` can read."""

from collections.abc import Mapping
from typing import Final

from stream.sources.amazon_connect import source as amazon_connect
from stream.sources.asterisk_ami import source as asterisk_ami
from stream.sources.asterisk_queue_log import source as asterisk_queue_log
from stream.sources.asterisk_queue_log_database import source as asterisk_queue_log_database
from stream.sources.chatwoot import source as chatwoot
from stream.sources.files import case_log, jsonl
from stream.sources.freeswitch import source as freeswitch
from stream.sources.freshdesk import source as freshdesk
from stream.sources.genesys_cloud import source as genesys_cloud
from stream.sources.genesys_kafka import source as genesys_kafka
from stream.sources.help_scout import source as help_scout
from stream.sources.imap_mailbox import source as imap_mailbox
from stream.sources.intercom import source as intercom
from stream.sources.liveagent import poller as liveagent_poller
from stream.sources.liveagent import source as liveagent
from stream.sources.mapped import source as mapped
from stream.sources.mapped import topic as mapped_topic
from stream.sources.nicereply import source as nicereply
from stream.sources.nicereply import webhook as nicereply_webhook
from stream.sources.segment import source as segment
from stream.sources.shopify import source as shopify
from stream.sources.source import Source
from stream.sources.stripe import source as stripe
from stream.sources.surveymonkey import source as surveymonkey
from stream.sources.twilio import source as twilio
from stream.sources.typeform import source as typeform
from stream.sources.woocommerce import source as woocommerce
from stream.sources.zammad import source as zammad
from stream.sources.zendesk import export as zendesk_export
from stream.sources.zendesk import source as zendesk

__all__ = ["SOURCES"]

_ALL: Final = (
    jsonl.SOURCE,
    asterisk_queue_log.SOURCE,
    asterisk_queue_log_database.SOURCE,
    asterisk_ami.SOURCE,
    case_log.SOURCE,
    freeswitch.SOURCE,
    twilio.SOURCE,
    genesys_cloud.SOURCE,
    genesys_kafka.SOURCE,
    amazon_connect.SOURCE,
    mapped.MAPPED_FILE,
    mapped.MAPPED_WEBHOOK,
    mapped_topic.MAPPED_TOPIC,
    shopify.SOURCE,
    stripe.SOURCE,
    woocommerce.SOURCE,
    segment.SOURCE,
    imap_mailbox.SOURCE,
    zendesk.SOURCE,
    zendesk_export.EXPORT,
    help_scout.SOURCE,
    intercom.SOURCE,
    chatwoot.SOURCE,
    zammad.SOURCE,
    freshdesk.SOURCE,
    liveagent.SOURCE,
    liveagent_poller.LIVEAGENT_TICKETS,
    typeform.SOURCE,
    nicereply.SOURCE,
    nicereply_webhook.WEBHOOK,
    surveymonkey.SOURCE,
)

SOURCES: Final[Mapping[str, Source]] = {source.name: source for source in _ALL}
"""By name."""
