"""``seatbeat dead-letters replay``: dead letters once more through the pipeline."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiokafka.errors import KafkaError

from pipeline.agents.consuming import Fail
from pipeline.application.dead_letter_choice import letters_to_replay
from pipeline.cli.letter_options import (
    add_filter_options,
    by_code_text,
    letter_filter,
    letter_id,
    letters_counted,
)
from pipeline.cli.program_messages import quiet_logs, report
from pipeline.cli.store_options import opened
from pipeline.codec.topics.letter_ids import write_id
from pipeline.kafka.producer import Producer
from pipeline.kafka.replay_plan import ReplayPlan, plan_replay
from pipeline.kafka.settings import Settings
from pipeline.model.errors import InputError
from pipeline.store.client import StoreUnreachable
from pipeline.store.letters import LetterFilter
from pipeline.store.opening import store_error

REASONS_SHOWN: Final = 20


def add_replay(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the action."""
    replaying = actions.add_parser(
        "replay",
        help="send them again, unaltered, once the validator or the sender is fixed",
        description="Sends dead letters to the topic heartbeats again, each member alone and unaltered. A replay is a "
        "merge: what is valid now is metered, what is not stays the dead letter it was, and nothing is counted twice. "
        "With --data-dir the embedded pipeline works them off, else the workers at SEATBEAT_KAFKA_BOOTSTRAP do.",
    )
    add_filter_options(replaying)
    replaying.add_argument(
        "ids", nargs="*", type=letter_id, metavar="ID", help="these, in place of a choice by options"
    )
    replaying.add_argument("--dry-run", action="store_true", help="only say what would come of it")
    replaying.set_defaults(run=run_replay)


def run_replay(args: argparse.Namespace) -> int:
    """0 with what came of it on stdout; 1 where nothing that was chosen can be replayed, or the way there failed."""
    wanted = letter_filter(args)
    if bool(args.ids) == (wanted != LetterFilter()):
        raise InputError("replay", "needs either IDs or options that choose", "Name IDs, or give --code or --account")
    with opened(args) as client:
        letters = letters_to_replay(client, args.ids, wanted)
    plan = plan_replay(letters)
    _print_unreplayable(plan)
    if not plan.messages:
        print(f"nothing to replay of {letters_counted(plan.chosen)}")
        return 1 if plan.chosen else 0
    if args.dry_run:
        print(f"would send {_sent(plan)}; by this version's rules: {_judged(plan.valid, plan.invalid)}")
        return 0
    if args.data_dir is None:
        return _replay_to_broker(plan)
    return _replay_embedded(args.data_dir, plan, args.last_resort.failed)


def _replay_embedded(data_dir: Path, plan: ReplayPlan, on_failure: Fail) -> int:
    from pipeline.embedded.letter_replay import replay_embedded  # noqa: PLC0415
    from pipeline.embedded.pipeline import PipelineFailed  # noqa: PLC0415 -- only here is the embedded broker needed

    quiet_logs()
    try:
        metered = asyncio.run(replay_embedded(data_dir.resolve(), plan, on_failure))
    except PipelineFailed as error:
        report(f"the pipeline failed: {error}; nothing that was acknowledged is lost, so replay again")
        return 1
    except StoreUnreachable as error:
        raise store_error(str(data_dir), error) from error
    print(f"replayed {_sent(plan)}: {_judged(metered, plan.invalid)}")
    return 0


def _replay_to_broker(plan: ReplayPlan) -> int:
    settings = Settings.from_environment(os.environ)
    quiet_logs()
    try:
        asyncio.run(_send(settings.kafka_bootstrap, plan))
    except KafkaError as error:
        report(
            f"the broker at {settings.kafka_bootstrap} failed: {error!r}; what was sent is merged once, so replay again"
        )
        return 1
    print(f"sent {_sent(plan)} to the meter; by this version's rules: {_judged(plan.valid, plan.invalid)}")
    return 0


async def _send(bootstrap: str, plan: ReplayPlan) -> None:
    producer = Producer(bootstrap)
    try:
        await producer.start()
        await producer.write(plan.messages)
    finally:
        await producer.stop()


def _print_unreplayable(plan: ReplayPlan) -> None:
    for letter in plan.unreplayable[:REASONS_SHOWN]:
        report(f"{write_id(letter.place)} cannot be replayed: {letter.reason}")
    if len(plan.unreplayable) > REASONS_SHOWN:
        report(f"{len(plan.unreplayable) - REASONS_SHOWN:,} more cannot be replayed")


def _judged(metered: int, invalid: Mapping[str, int]) -> str:
    heartbeats = f"{metered:,} heartbeat{'' if metered == 1 else 's'}"
    return f"{heartbeats} metered, {sum(invalid.values()):,} still invalid{by_code_text(invalid)}"


def _sent(plan: ReplayPlan) -> str:
    alike = plan.chosen - len(plan.unreplayable) - len(plan.messages)
    return f"{len(plan.messages):,} of {letters_counted(plan.chosen)}{f' ({alike:,} alike left out)' if alike else ''}"
