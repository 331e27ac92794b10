"""A file of webhooks gets a table more, and whatever else a person wrote there stays."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.connect.webhook_tables import with_webhook
from stream.errors import SettingsError
from stream.sources.toml_text import toml_table

WRITTEN = """\
# Berlin's systems. Ask Ana before you change anything.
[webhooks.phones]                # POST /v1/webhooks/phones
source = "genesys-cloud"
# Rotated in March.
key_file = "phones.key"

[webhooks.phones.deeper]
a = 1

# What customers say.
[webhooks.forms]
source = "typeform"
secret_file = "forms.secret"\
"""
TABLE = {"source": "twilio", "token_file": "flex.secret"}


def test_a_table_is_appended_and_nothing_else_changes() -> None:
    after = with_webhook(WRITTEN, "flex", TABLE)

    assert after.startswith(WRITTEN)
    assert after.removeprefix(WRITTEN) == '\n\n[webhooks.flex]\nsource = "twilio"\ntoken_file = "flex.secret"\n'


def test_an_empty_file_gets_its_first_table() -> None:
    assert with_webhook("", "flex", TABLE) == '[webhooks.flex]\nsource = "twilio"\ntoken_file = "flex.secret"\n'


def test_what_is_there_already_is_left_as_it_is() -> None:
    said = {"source": "typeform", "secret_file": "forms.secret"}

    assert with_webhook(WRITTEN, "forms", said) == WRITTEN


def test_a_name_that_says_something_else_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"webhooks\.phones is there and says something else"):
        with_webhook(WRITTEN, "phones", TABLE)


def test_one_that_is_replaced_stands_where_it_stood_and_comments_stay() -> None:
    after = with_webhook(WRITTEN, "phones", TABLE, replace=True)

    assert after == (
        "# Berlin's systems. Ask Ana before you change anything.\n"
        '[webhooks.phones]\nsource = "twilio"\ntoken_file = "flex.secret"\n'
        "# Rotated in March.\n\n\n# What customers say.\n"
        '[webhooks.forms]\nsource = "typeform"\nsecret_file = "forms.secret"'
    )


@pytest.mark.parametrize(
    "text",
    [
        'webhooks = { forms = { source = "typeform", secret_file = "s" } }\n',
        'webhooks.forms.source = "typeform"\nwebhooks.forms.secret_file = "s"\n',
        '[webhooks]\nforms = { source = "typeform", secret_file = "s" }\n',
        '[webhooks]\nforms.source = "typeform"\n',
    ],
)
def test_what_only_its_author_can_change_is_refused_with_what_to_put_there(text: str) -> None:
    with pytest.raises(SettingsError, match=r'put there by hand\n\[webhooks\.forms\]\nsource = "twilio"'):
        with_webhook(text, "forms", TABLE, replace=True)


@pytest.mark.parametrize("text", ["[webhooks", "webhooks = 3", "[webhooks]\nforms = 3", "\x00"])
def test_what_is_no_file_of_webhooks_is_to_be_mended_first(text: str) -> None:
    with pytest.raises(SettingsError, match="mend it first"):
        with_webhook(text, "flex", TABLE)


def test_a_text_of_several_lines_that_looks_like_a_head_is_none() -> None:
    text = '[webhooks.forms]\nsource = "typeform"\n[other]\ntext = """\n[webhooks.forms]\n# a line\n"""\n'

    # What would be lost with it is worth more than the convenience.
    with pytest.raises(SettingsError, match="by hand"):
        with_webhook(text, "forms", TABLE, replace=True)


NAMES = st.sampled_from(["a", "b", "c-1"])
VALUES = st.recursive(
    st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TABLES = st.dictionaries(st.text(), VALUES, max_size=4)


@given(before=st.dictionaries(NAMES, TABLES), name=NAMES, table=TABLES)
def test_whatever_is_there_the_file_says_the_same_and_the_table(
    before: dict[str, dict[str, object]], name: str, table: dict[str, object]
) -> None:
    text = "# first\n" + "\n".join(toml_table(("webhooks", each), told) for each, told in before.items())

    after = with_webhook(text, name, table, replace=True)

    assert tomllib.loads(after) == {"webhooks": before | {name: table}}
    assert after.startswith("# first\n")
