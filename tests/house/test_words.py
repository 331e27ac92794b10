"""Names are the field's words: nouns of our own that had to go stay away, and the glossary has the rest once."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, modules_of, name_of, parsed

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

PRIVATE_NOUNS = {
    "fence": "applied offset; fencing means something else in Kafka",
    "fences": "applied offsets",
    "floor": "the fold of a family: ContactsFold",
    "staff": "AgentsFold; in a simulated centre, agents on duty",
    "scribe": "PageWriter",
    "draft": "PageInput; a new file",
    "keeper": "a listener, where it hears of assignments",
    "lane": "PartitionBuffer",
    "parcel": "BufferedRecord",
    "speaker": "LogIdentity",
    "stories": "verbs of a log",
    "interpreter": "GcTuning",
    "stray": "MisroutedRecord",
    "strays": "misrouted",
    "moon": "rare",
}
"""What each word stood for, and what says so plainly."""

EXPLAINED = [
    "episode",
    "cut",
    "lease",
    "beat",
    "zombie",
    "epoch",
    "settle",
    "share",
    "reading",
    "family",
    "figure",
    "checkpoint",
    "intake",
    "notice",
    "slice",
    "tally",
    "vitals",
    "set aside",
    "promise",
    "picture",
    "document",
    "tile",
    "wall",
    "sink",
    "outlet",
    "bookmark",
    "layout",
]
"""Words of the code that mean something only here, or in few places elsewhere."""


def names_given_in(module: ast.Module) -> Iterator[str]:
    """What a module names itself: classes, functions, arguments, variables and attributes."""
    for node in ast.walk(module):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)):
                yield name


def private_nouns_of(path: Path, module: ast.Module) -> dict[str, str]:
    names = [*names_given_in(module), path.stem, path.parent.name]
    words = {word.lower(): name for name in names for word in WORD.findall(name)}
    return {words[noun]: meant for noun, meant in PRIVATE_NOUNS.items() if noun in words}


@pytest.mark.parametrize("path", modules_of("stream"), ids=name_of)
def test_no_name_is_a_noun_of_our_own(path: Path) -> None:
    assert private_nouns_of(path, parsed(path)) == {}


@pytest.mark.parametrize(
    "code", ["class Floor: ...", "def scribe(): ...", "def f(old_fence): ...", "x.drafts, x.draft = 1, 2", "STRAY = 1"]
)
def test_a_noun_of_our_own_is_found_wherever_a_name_is_given(code: str) -> None:
    assert private_nouns_of(Path("stream/core/rows.py"), ast.parse(code)) != {}


def test_words_of_other_libraries_are_theirs() -> None:
    assert private_nouns_of(Path("stream/core/rows.py"), ast.parse("from math import floor\nx = floor(1.5)")) == {}


VAGUE_VERBS = {
    "take": "fold an event, apply a batch, drain what changed, write a checkpoint, reserve room, read a board",
    "takes": "as `take`",
}
"""Verbs that say of too many things that they happen; each has a verb of its own."""


def vaguely_named_in(module: ast.Module) -> set[str]:
    return {name for name in names_given_in(module) for verb in WORD.findall(name)[:1] if verb.lower() in VAGUE_VERBS}


@pytest.mark.parametrize("path", modules_of("stream"), ids=name_of)
def test_a_name_says_what_is_done(path: Path) -> None:
    assert vaguely_named_in(parsed(path)) == set()


@pytest.mark.parametrize("code", ["def take(): ...", "def _take_all(): ...", "TAKE = {}", "def f(take_share): ..."])
def test_a_vague_verb_is_found_wherever_a_name_is_given(code: str) -> None:
    assert vaguely_named_in(ast.parse(code)) != set()


def test_only_a_verb_that_begins_a_name_is_vague() -> None:
    assert vaguely_named_in(ast.parse("taken_back = intake = _ = 1")) == set()


def explained() -> list[str]:
    """The words of the glossary's tables, each by itself."""
    cells = re.findall(r"^\| \*\*([^*]+)\*\*", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    return [word for cell in cells for word in cell.split(", ")]


def test_the_glossary_explains_every_word_once() -> None:
    words = explained()

    assert sorted(words) == sorted({*words})


@pytest.mark.parametrize("word", EXPLAINED)
def test_a_word_that_is_ours_is_in_the_glossary(word: str) -> None:
    assert word in explained()


REPEATED = {
    "Activity": "what an agent is seen doing: the simulator and a log know only some of the values",
    "Contribution": "what counts, and what counts of contacts: a kind of the first",
    "Change": "what has become of a row's facts, such as a case's or a customer's, by one more event",
    "DAY_MS": "a day in milliseconds",
    "EVENTS": "one for each family",
    "Eviction": "one for each family that forgets many kinds of rows",
    "FACTS": "one for each family",
    "FAMILY": "one for each family",
    "FIGURES": "one for each family",
    "Options": "one for each source",
    "Part": "what has figures of its own, with others beside it: of a queue, or of the customers of a tenant",
    "PartKey": "the key of a `Part`",
    "Producer": "the SDK's; a Faust transport has a class of this name",
    "QUIET_MS": "so long without a record, and all of a topic has been read",
    "RULES": "one for each family",
    "SLICE": "how much is worked on before others get their turn: each kind of work has its own",
    "SOURCE": "one for each source",
    "Standing": "how something stands now: an open case, a customer",
    "entry_of": "what was reported, as one number that rises with time",
    "logger": "one for each module",
    "DETAIL_SECTIONS": "one for each family that a list shows",
    "QueueKey": "tenant, queue and channel",
    "queue_states": "one for each family of queues",
    "urgency": "one for each family of queues",
    "COLUMNS": "one for each family that a list shows",
    "DETAILS": "one for each family that a list shows",
    "NOW": "one for each family that a list shows",
    "QUEUE": "one for each family of queues",
    "RETENTION": "one for each family that counts",
    "SILENCE": "one for each family that counts",
    "SHOWN": "one for each family that a list shows",
    "SHOWN_FACTS": "one for each family that a list shows",
    "COUNTED": "one for each family that counts",
    "milliseconds": "a length in whole milliseconds",
    "read": "what a source does",
}
"""Names that several modules define, each with what it always means, or why it has to."""


def defined_in(module: ast.Module) -> Iterator[str]:
    """What others could import: but no private name, no command, and no type variable."""
    for node in module.body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
                pass
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_a_name_means_one_thing() -> None:
    # The functions in `cli` are commands, called as what they run.
    modules = [path for path in modules_of("stream") if path.parent.name != "cli"]
    homes = Counter(name for path in modules for name in {*defined_in(parsed(path))} if not name.startswith("_"))

    assert {name for name, number in homes.items() if number > 1} == REPEATED.keys()
