"""Findings on a terminal, each when it is found."""

from collections.abc import AsyncIterator

import click

from stream.core.format import printable
from stream.doctor.finding import Finding

__all__ = ["all_well", "show"]


def show(finding: Finding) -> None:
    """Say a finding, and on a line of its own what to do."""
    click.echo(f"{finding.verdict:7}  {printable(finding.about)}: {printable(finding.said)}")
    if finding.advice:
        click.echo(f"         {printable(finding.advice)}")


async def all_well(findings: AsyncIterator[Finding]) -> bool:
    """Say each finding; tell whether none of them is bad."""
    well = True
    async for finding in findings:
        show(finding)
        well &= finding.verdict != "bad"
    return well
