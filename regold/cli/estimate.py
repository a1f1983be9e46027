"""`regold estimate`: what a run would cost, in calls, tokens, money and hours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

import regold.cli.options as o
from regold.cli.groups import Sectioned, grouped
from regold.cli.screen import exit_codes, print_json, say
from regold.errors import UsageError

if TYPE_CHECKING:
    from regold.estimate import Estimate


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("estimate", cls=Sectioned)(estimate)


@grouped
def estimate(
    data: o.Data,
    reading: o.Reading,
    recipe: o.RecipeName = "robustft",
    suspect_share: Annotated[
        float, typer.Option(min=0, max=1, help="share of records expected to come out suspect")
    ] = 0.4,
    weak_share: Annotated[
        float, typer.Option(min=0, max=1, help="share expected to come out weak, where a recipe rates records")
    ] = 0.5,
    reasoning_tokens: Annotated[float, typer.Option(min=1, help="tokens expected in one reasoned answer")] = 200.0,
    records: Annotated[
        int | None, typer.Option(min=1, help="as if there were so many records like those of the file")
    ] = None,
    price: Annotated[
        str | None, typer.Option(help="money per million prompt,completion tokens, such as 0.15,0.60")
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(
            help="tokens a second read,written,trained on by all devices, such as 25000,5000,7000: gives hours"
        ),
    ] = None,
    settings: Annotated[
        str | None, typer.Option(help="training: paper, ds2, qlora, full, or a TOML file; by default the recipe's")
    ] = None,
    prompts: o.PromptSet = None,
    sets: o.Sets = None,
    as_json: o.AsJson = False,
) -> None:
    """Print the calls, tokens, money and hours a run would take, without calling anything."""
    with exit_codes():
        from dataclasses import replace

        from regold import estimate as room
        from regold.output import training_settings
        from regold.recipe import load_recipe

        found = load_recipe(recipe, sets or (), prompts=prompts)
        if settings:
            found = replace(found, train=training_settings(data, settings))
        rows = reading.source(data).rows()
        given, lengths = room.measure((row.messages for row in rows), reasoning_tokens)
        prices = _numbers(price, "--price", "two numbers, such as 0.15,0.60", (2,))
        speeds = _numbers(speed, "--speed", "two or three numbers above 0, such as 25000,5000,7000", (2, 3), zero=False)
        expected = room.estimate(
            found,
            records or given,
            lengths,
            room.Shares(suspect_share, weak_share),
            (prices[0], prices[1]) if prices else None,
            room.Speeds(*speeds) if speeds else None,
        )
        print_json(_as_json(expected)) if as_json else _print(expected, prices)


def _numbers(
    text: str | None, option: str, wanted: str, counts: tuple[int, ...], zero: bool = True
) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) not in counts or not all(0 <= n < math.inf and (zero or n) for n in found):
        raise UsageError(f"{option} {text!r}: write {wanted}")
    return found


def _as_json(expected: Estimate) -> dict[str, object]:
    from dataclasses import asdict

    totals = {key: round(expected.total(key)) for key in ("calls", "prompt_tokens", "completion_tokens")}
    return {**totals, **asdict(expected)}


def _print(expected: Estimate, prices: tuple[float, ...]) -> None:
    calls, prompt, completion = (expected.total(c) for c in ("calls", "prompt_tokens", "completion_tokens"))
    rows = [(x.step, x.role, x.calls, x.prompt_tokens, x.completion_tokens) for x in expected.lines]
    rows.append(("total", "", calls, prompt, completion))
    say(f"{'step':10} {'role':8} {'calls':>12} {'prompt tok.':>14} {'compl. tok.':>14}")
    for step, role, calls, prompt, completion in rows:
        say(f"{step:10} {role:8} {calls:12,.0f} {prompt:14,.0f} {completion:14,.0f}")
    training = expected.training
    if training:
        say(f"{'train':10} {'':8} {'':12} {training.tokens:14,.0f} in {training.epochs} epochs, were every record kept")
    if expected.money is not None:
        say(
            f"money: {expected.money:,.2f}, in the currency of --price: {prices[0]:g} a million prompt tokens, "
            f"{prices[1]:g} a million completion tokens"
        )
    if expected.hours is not None:
        trained = f", training at most {training.hours:,.2f}" if training and training.hours is not None else ""
        say(f"hours: asking {expected.hours:,.2f}{trained}")
    say(_assumed(expected))


def _assumed(expected: Estimate) -> str:
    lengths, shares = expected.lengths, expected.shares
    return (
        f"Assumed: {expected.records} records, {shares.suspect:.0%} of them suspect, {shares.weak:.0%} weak where they "
        f"are rated; mean query {lengths.query:.0f} and response {lengths.response:.0f} tokens (four characters a "
        f"token), {lengths.reasoning:.0f} tokens a reasoned answer. "
        "The prompts' own words count as a flat 100 to 300 tokens where a step rates, audits, grades or tags, "
        "and not at all elsewhere. Nothing was called."
    )
