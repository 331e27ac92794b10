"""Expressions select and compare; they cannot loop, grow, reach Python, or fail on any record."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.sources.mapped.expressions import FUNCTIONS, MAX_EXPRESSION_CHARS, Expression, InvalidExpression

RECORD = {
    "kind": "queued",
    "at": 5,
    "yes": True,
    "no": False,
    "a-b": "x",
    "topic": "v2.calls.17.start",
    "empty": "",
    "parts": [{"role": "agent", "name": "eva"}, {"role": "customer", "name": "ann"}],
}

FOUND = {
    "kind": "queued",
    "kind == 'queued'": True,
    "at > `4` && kind != 'x'": True,
    '"a-b"': "x",
    "nothing.at.all": None,
    "nothing || kind": "queued",
    "not_null(nothing, at)": 5,
    "parts[?role=='agent'].name | [0]": "eva",
    "parts[-1].name": "ann",
    "parts[*].name": ["eva", "ann"],
    "split(topic, '.')[2]": "17",
    "join('/', ['berlin', kind])": "berlin/queued",
    "join('/', ['berlin', nothing])": None,
    "to_string(at)": "5",
    "to_number('5.5')": 5.5,
    "to_number('-17')": -17,
    "plus(at, `2`)": 7,
    "minus(at, `2`)": 3,
    "lower('ABC')": "abc",
    "upper(kind)": "QUEUED",
    "length(parts)": 2,
    "contains(['queued', 'left'], kind)": True,
}


@pytest.mark.parametrize("text", FOUND)
def test_an_expression_finds_what_jmespath_says(text: str) -> None:
    assert Expression(text).of(RECORD) == FOUND[text]


@pytest.mark.parametrize(
    "text",
    [
        *("ends_with(at, 'x')", "starts_with(nothing, 'x')", "length(at)", "plus(kind, `1`)", "split(kind, '')"),
        *("contains(kind, at)", "join('/', at)", "lower(parts)", "to_number('inf')", "to_number('nan')"),
        *("to_number(yes)", "to_number(parts)", "to_number('" + "9" * 100 + "')", "at[0]", "kind.x", "parts.name"),
    ],
)
def test_what_a_function_is_not_made_for_is_none_as_what_is_missing_is(text: str) -> None:
    assert Expression(text).of(RECORD) is None


@pytest.mark.parametrize(("text", "holds"), [("yes", True), ("no", False), ("empty", False), ("nothing", False)])
def test_what_is_missing_empty_or_false_does_not_hold(text: str, holds: bool) -> None:  # noqa: FBT001  # a column
    assert Expression(text).holds(RECORD) is holds


REFUSED = {
    "": "it is empty",
    "a ==": "it ends too early",
    "a = 'b'": "it cannot be read at character 3: a >>>= 'b'",
    "a['b']": "it cannot be read at character 3",
    "`open`": "between backticks stands what is no JSON; text stands between '...'",
    "lenght(a)": "there is no function lenght; did you mean length?",
    "eval('1')": "there is no function eval; there are contains",
    "length(a, b)": "length wants 1 arguments, and has 2",
    "not_null()": "not_null wants at least 1 arguments, and has 0",
    "a[::0]": "a slice cannot have the step 0",
    "a" * (MAX_EXPRESSION_CHARS + 1): f"it has more than {MAX_EXPRESSION_CHARS} characters",
    "(" * 499 + "a" + ")" * 499: "it is nested too deeply",
    "!" * 900 + "a": "it is nested too deeply",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:12])
def test_what_is_no_expression_is_refused_with_the_place_and_what_is_meant(text: str) -> None:
    with pytest.raises(InvalidExpression) as refused:
        Expression(text)

    assert str(refused.value).startswith(REFUSED[text])


GROWING = [
    "[@, @] | [@, @] | [@, @]",
    "a.[b, c].[b, c]",
    "{a: @, b: @}",
    "a[].b[]",
    "map(&join('', [@, @]), a)",
    "sort_by(a, &b)",
    "a.join('', [@, @]).join('', [@, @])",
    "a | join('', [@, @])",
    "a[*].to_string(@)",
    "a[?b].[c, c]",
    "join('', [a, b]) | [@, @]",
]


@pytest.mark.parametrize("text", GROWING)
def test_what_could_grow_with_each_step_is_refused(text: str) -> None:
    with pytest.raises(InvalidExpression, match=r"may not be used|there is no function"):
        Expression(text)


@pytest.mark.parametrize("text", ["__class__", "__class__.__mro__", "kind.__class__", '"__globals__"', "at.__add__"])
def test_nothing_of_python_can_be_reached(text: str) -> None:
    assert Expression(text).of(RECORD) is None


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "text",
    ["to_string(deep)", "deep == other", "deep[0][0]", "contains(deep, other)", "join(',', deep)", "deep[*][*][*]"],
)
def test_a_record_that_is_nested_as_deep_as_json_may_be_stops_nothing(text: str) -> None:
    expression = Expression(text)
    before = expression.of({"deep": nested(2), "other": nested(2)})

    for depth in (500, 1000, 10_000):
        expression.of({"deep": nested(depth), "other": nested(depth)})

    # What was too deep has left nothing behind.
    assert expression.of({"deep": nested(2), "other": nested(2)}) == before


def test_the_costliest_expression_takes_no_longer_than_its_length_times_the_record() -> None:
    # As many conditions within conditions as there is room for, on as many records as a post may have.
    inner = "parts[?" * 60 + "role=='agent'" + "]" * 60
    record = {"parts": [{"role": "agent", "name": "x" * 20}] * 10_000}

    begun = time.perf_counter()
    Expression(inner).of(record)
    Expression("join('', [" + ", ".join(["to_string(@)"] * 60) + "])").of(record)

    assert time.perf_counter() - begun < 20


@given(st.text(alphabet="abc.[]*?()|&!=<>'`\"@, {}:15", max_size=40), st.sampled_from([RECORD, [RECORD], 5, None, "x"]))
def test_whatever_is_written_it_is_an_expression_or_refused_and_never_fails_on_a_record(
    text: str, record: object
) -> None:
    try:
        expression = Expression(text)
    except InvalidExpression:
        return
    expression.of(record)
    expression.holds(record)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(st.sampled_from(["kind", "at", "parts", "@", "yes", "nothing"])))
def test_no_function_fails_whatever_it_is_given(name: str, given_to_it: list[str]) -> None:
    arguments = (given_to_it or ["at"]) * 2
    text = f"{name}({', '.join(arguments[: FUNCTIONS[name] or len(arguments)])})"

    Expression(text).of(RECORD)
