"""A mapping that is wrong is refused when it is read, with the line and what to do."""

from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.sources.mapped.mapping_file import read_mapping
from tests.sources.mapped.examples import mapping_of

GOOD = """\
source = "/x"
[[rules]]
when = "kind == 'queued'"
event = "contact.enqueued"
time = "at"
subject = "call"
data.queue = "line"
"""


def test_a_good_file_is_read(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, GOOD).mapping

    assert (mapping.source, mapping.tenant, [rule.line for rule in mapping.rules]) == ("/x", "default", [2])


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


WRONG = {
    "no TOML": (changed('"at"', "at"), ":5: Invalid value (at line 5, column 8)"),
    "no rules": ('source = "/x"\nrules = []', ":2: Expected `array` of length >= 1"),
    "an unknown key": (
        changed("when =", "wenn ="),
        ":3: wenn: there is no such key; did you mean when?",
    ),
    "an unknown event": (
        changed("contact.enqueued", "contact.queued"),
        ":4: event: there is no such event; did you mean contact.enqueued?",
    ),
    "neither event nor ignore": (changed('event = "contact.enqueued"\n', ""), ":2: say either event, its type, or"),
    "no time": (changed('time = "at"\n', ""), ":2: time is missing; say where it is found, here or under [common]"),
    "no queue": (changed('data.queue = "line"\n', ""), ":2: data: queue is missing, which contact.enqueued wants"),
    "an unknown field": (
        changed("data.queue", "data.agnt = 'a'\ndata.queue"),
        ":7: data.agnt: contact.enqueued has no such field; did you mean agent?",
    ),
    "no expression": (
        changed("kind == 'queued'", "kind = 'queued'"),
        ":3: when: it cannot be read at character 6: kind >>>= 'queued'",
    ),
    "a condition with text": (changed("kind == 'queued'", "kind =="), ":3: when: it ends too early"),
    "a wrong constant": (
        GOOD + 'data.channel = { constant = "phone" }',
        ":8: data.channel.constant: it must be one of voice, chat, sms, messaging, email, social, video, task",
    ),
    "a wrong word": (
        GOOD + 'data.channel = { value = "c", words = { x = "phone" } }',
        ":8: data.channel.words.x: it must be one of voice, chat",
    ),
    "both value and constant": (
        GOOD + 'data.agent = { value = "a", constant = "b" }',
        ":8: data.agent.value: say either value, an expression, or constant",
    ),
    "an unknown unit": (
        changed('"at"', '{ value = "at", unit = "hours" }'),
        ":5: time.unit: it must be one of ",
    ),
    "a unit of text": (
        GOOD + 'data.agent = { value = "a", unit = "s" }',
        ":8: data.agent.unit: unit belongs to times and to lengths, the fields that end in _ms",
    ),
    "a time in minutes": (
        changed('"at"', '{ value = "at", unit = "min" }'),
        ":5: time.unit: a time is told in us, ms or s since 1970",
    ),
    "a zone of text": (
        GOOD + 'data.agent = { value = "a", zone = "UTC" }',
        ":8: data.agent.zone: zone belongs to times",
    ),
    "an unknown zone": (
        changed('"at"', '{ value = "at", zone = "Europe/Atlantis" }'),
        ":5: time.zone: there is no such zone; names look like Europe/Rome, or UTC",
    ),
    "a wrong format": (
        changed('"at"', '{ value = "at", format = "%Q" }'),
        ":5: time.format: no such format; formats look like %d.%m.%Y %H:%M:%S",
    ),
    "a time that is constant": (
        changed('"at"', '{ constant = "2026-03-02T09:00:00Z" }'),
        ":5: time.constant: a time that the record does not tell is none",
    ),
    "columns of JSON": (changed('"/x"', '"/x"\ncolumns = ["a"]'), ":2: columns: columns belong to the format csv"),
    "records of a table": (
        changed('"/x"', '"/x"\nformat = "csv"\nrecords = "a"'),
        ":3: records: records belong to the format json",
    ),
    "a body that is not signed": (
        GOOD + '[verify]\nmethod = "hmac-sha256"\nheader = "x"\nsigned = "{timestamp}"',
        ":11: verify.signed: say {body} once: what is not signed can be forged",
    ),
    "a time that is not signed": (
        GOOD + '[verify]\nmethod = "hmac-sha256"\nheader = "x"\ntimestamp_header = "t"',
        ":8: verify.signed: {timestamp} and timestamp_header belong together",
    ),
    "a key that signs": (
        GOOD + '[verify]\nmethod = "key"\nheader = "x"\nsigned = "{body}!"',
        ":9: verify.method: a key signs nothing; leave signed and timestamp_header out",
    ),
    "a signature without a header": (
        GOOD + '[verify]\nmethod = "hmac-sha256"',
        ":8: verify.header: method hmac-sha256 needs header",
    ),
    "a password in a header of its own": (
        GOOD + '[verify]\nmethod = "password"\nheader = "x"',
        ":10: verify.header: method password has no header",
    ),
    "a parameter without a name": (
        GOOD + '[verify]\nmethod = "parameter"',
        ":8: verify.parameter: method parameter needs parameter",
    ),
    "a header that is none": (
        GOOD + '[verify]\nmethod = "key"\nheader = "x y"',
        ":10: verify.header: Expected `str` matching regex",
    ),
    "a common field of no event": (
        GOOD + "[common]\ndata.agnt = 'a'\n",
        ":9: common.data.agnt: no event of the rules has such a field; did you mean agent?",
    ),
    "one of several fields": (
        changed('data.queue = "line"', "data.queue = { value = 'line', unti = 's' }\ndata.agent = 'a'"),
        ":7: data.queue.unti: there is no such key; did you mean unit?",
    ),
    "an unknown key of the file": (
        "forma = 'csv'\n" + GOOD,
        ":1: forma: there is no such key; did you mean format?",
    ),
    "an unknown method": (
        GOOD + '[verify]\nmethod = "hmac-md5"\nheader = "x"',
        ":9: verify.method: it must be one of key, password, parameter, hmac-sha1, hmac-sha256, hmac-sha512",
    ),
    "a common expression": (
        GOOD + '[common]\nid = "a b"\n',
        ":9: common.id: it cannot be read at character 3: a >>>b",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_the_line_and_what_to_do(tmp_path: Path, case: str) -> None:
    text, message = WRONG[case]
    with pytest.raises(SettingsError) as refused:
        mapping_of(tmp_path, text)

    assert str(refused.value).startswith(f"{tmp_path / 'calls.toml'}{message}")


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read"):
        read_mapping(tmp_path / "missing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"bytes\.toml is not UTF-8"):
        read_mapping(tmp_path / "bytes.toml")


@pytest.mark.parametrize("line", range(1, 8))
def test_a_file_that_is_cut_off_anywhere_is_refused_with_a_line(tmp_path: Path, line: int) -> None:
    text = "\n".join(GOOD.splitlines()[: line - 1])
    with pytest.raises(SettingsError, match=r"calls\.toml:\d+: "):
        mapping_of(tmp_path, text)
