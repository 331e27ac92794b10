"""What the policy file may say of customers, and what counts as asked too often by it."""

import pytest

from stream.app.policy_file import policies_of
from stream.core.policies import Policies
from stream.errors import SettingsError
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.rules import RULES
from tests.families.customers.told import customers_fold_of, on, told

POLICY = """
[defaults]
matter = "orders"
matter_by_topic = true
solved_dispositions = ["solved"]
repeat_within_days = 30
fcr_target = 0.8
currency = "CHF"
margin = 0.4
churn_limit = 0.05
cart_idle_minutes = 90
cart_abandonment_limit = 0.7
customer_minimum = 100
survey_most_invitations = 1
survey_within_days = 90
time_zone = "Europe/Ljubljana"
day_starts = "06:00"
opening_hours = "Mon-Fri 08:00-16:00"
public_holidays = "SI"
special_days = { "2026-12-24" = "closed" }
quiet_hours = "22:00-06:00"
team = "desk"
"""


def test_the_policy_file_rules_every_field() -> None:
    policy, plain = policies_of(POLICY, "p").of(RULES, "acme", "sales", "chat"), RULES.policy()

    assert all(getattr(policy, name) != getattr(plain, name) for name in plain.__struct_fields__)


@pytest.mark.parametrize(
    "line",
    [
        'matter = ""',
        "matter = 7",
        'solved_dispositions = "solved"',
        'solved_dispositions = [""]',
        "repeat_within_days = 0",
        "repeat_within_days = 31",
        "fcr_target = 70",
        'currency = "euro"',
        "margin = -0.1",
        "cart_idle_minutes = 0.5",
        "cart_idle_minutes = 10081",
        "customer_minimum = true",
        "survey_most_invitations = 0",
        "survey_most_invitations = 64",
        "survey_within_days = 91",
        "survey_within_days = 0",
    ],
)
def test_a_mistake_in_the_policy_file_is_named(line: str) -> None:
    with pytest.raises(SettingsError, match=f"{line.split(' ', 1)[0]} must be"):
        policies_of(f"[defaults]\n{line}", "p")


# Who is asked too often.

FOUR = "\n".join(f"{day} 10:00 asked ann survey=s{day} channel=chat" for day in (1, 5, 9, 13, 40))


def asked(story: str, window: str = "90d", policies: Policies = Policies()) -> dict[tuple[str, str], tuple[int, int]]:
    """Return by queue and channel of one tenant how many were asked, and how many too often."""
    fold = customers_fold_of(told(story), policies)
    shown = [one for _, one in fold.snapshots(on(40)) if one.tenant == "acme" and one.queue]
    counts = {(one.queue, one.channel): one.counted.window(window, CustomerCounts) for one in shown}
    return {key: (one.asked, one.asked_too_often) for key, one in counts.items()}


def test_a_fourth_invitation_within_a_month_is_one_too_many() -> None:
    assert asked(FOUR) == {("support", "chat"): (5, 1)}


def test_an_invitation_that_comes_late_makes_a_later_one_too_many() -> None:
    assert asked(FOUR + "\n11 10:00 asked ann survey=late channel=chat") == {("support", "chat"): (6, 2)}


def test_invitations_of_all_queues_are_counted_together_and_the_last_one_is_the_one_too_many() -> None:
    story = "\n".join(
        f"{day} 10:00 asked ann survey=s{day} queue={queue} channel={channel}"
        for day, queue, channel in (
            (1, "sales", "chat"),
            (2, "support", "voice"),
            (3, "sales", "chat"),
            (4, "claims", ""),
        )
    )

    counted = asked(story.replace(" channel=\n", "\n").removesuffix(" channel="))
    assert {key: too_often for key, (_, too_often) in counted.items()} == {
        ("sales", "chat"): 0,
        ("support", "voice"): 0,
        ("claims", ""): 1,
    }


def test_the_same_name_at_another_tenant_is_another_customer() -> None:
    elsewhere = "\n".join(f"{day} 11:00 asked ann survey=t{day} tenant=other channel=chat" for day in (1, 5, 9))

    assert asked(FOUR + "\n" + elsewhere)["support", "chat"] == (5, 1)


def test_an_invitation_told_twice_is_one() -> None:
    assert asked(FOUR + "\n" + FOUR) == asked(FOUR)


def test_by_which_limit_it_is_judged_the_policy_of_its_queue_says() -> None:
    rules = policies_of("[defaults]\nsurvey_most_invitations = 1\nsurvey_within_days = 5\n", "p")

    assert asked(FOUR, policies=rules) == {("support", "chat"): (5, 3)}
