"""The packet as a printable page: HTML without scripts and without anything from elsewhere, to attach to a ticket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from pipeline.codec.packets.chart import chart_svg, chart_title
from pipeline.codec.packets.language import Language, clock
from pipeline.codec.packets.ticket import Ticket, product_of
from pipeline.model.instants import DAY_MS, SECOND_MS, calendar_day, iso
from pipeline.rules.dispute.flags import FLAGS
from pipeline.rules.dispute.packet import DaySeries, Evidence, Packet, WhatIf
from pipeline.rules.evidence.lengths import active_ms, open_ms
from pipeline.rules.pool.overused_slots import OverusedSlot

CHARTS_MAX = 10
"""Days that are drawn, those with the highest over-use; the others are in the JSON."""

SLOTS_LISTED_MAX = 150
"""Over-used slots written out as a table below the charts; the others are in the JSON."""


def packet_html(packet: Packet, ticket: Ticket, words: Language) -> str:
    """The whole page. Whatever came from outside is escaped."""
    return "\n".join(_page(packet, ticket, words)) + "\n"


def _page(packet: Packet, ticket: Ticket, words: Language) -> Iterator[str]:
    title = words.say(
        "title",
        product=product_of(packet),
        country=packet.line.country,
        quarter=words.quarter(packet.period.name),
    )
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    yield f'<!DOCTYPE html>\n<html lang="{words.tongue}">\n<head>\n<meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>"
    yield from _section(words, "line", _line(packet, words))
    yield from _section(words, "chart", _charts(packet, words))
    yield from _section(words, "what_if", _what_ifs(packet, words))
    yield from _section(words, "evidence", _evidence(packet, words))
    yield from _section(words, "ticket", _ticket(ticket, words))
    yield "</main>\n<footer>"
    yield f"<h2>{escape(words.say('heading_basis'))}</h2>"
    yield f"<p>{escape(' '.join(_basis(packet, words)))}</p>\n</footer>\n</body>\n</html>"


def _section(words: Language, name: str, content: Iterable[str]) -> Iterator[str]:
    yield f'<section id="{name}">\n<h2>{escape(words.say(f"heading_{name}"))}</h2>'
    yield from content
    yield "</section>"


def _line(packet: Packet, words: Language) -> Iterator[str]:
    line, period = packet.line, packet.period
    days = f"{words.date(period.start_at)} \u2013 {words.date(period.end_at - 1)}"
    facts = {
        "account": packet.account,
        "invoice": packet.invoice or words.say("invoice_missing"),
        "product": product_of(packet),
        "country": line.country,
        "period": f"{words.quarter(period.name)} ({days})",
        "kind": words.say(f"kind_{packet.kind}"),
        "policy": line.policy,
        "entitlement": words.number(line.entitled),
        "peak": words.number(line.peak),
        "overuse": words.number(line.overuse),
        "overuse_days": words.number(line.overuse_days),
        "licences": words.number(line.term_licenses),
        "unit_price": _money(line.unit_price, packet, words),
        "amount": _money(line.amount, packet, words),
        "claimed": _money(packet.claimed, packet, words),
    }
    rows = [
        f'<tr><th scope="row">{escape(words.say(name))}</th><td>{escape(fact)}</td></tr>'
        for name, fact in facts.items()
    ]
    yield '<table class="facts"><tbody>\n' + "\n".join(rows) + "\n</tbody></table>"


def _charts(packet: Packet, words: Language) -> Iterator[str]:
    drawn = sorted(sorted(packet.days, key=lambda day: (-day.overuse, day.day))[:CHARTS_MAX], key=lambda day: day.day)
    listed = 0
    for series in drawn:
        yield f"<figure>\n<figcaption>{escape(chart_title(series, words))}</figcaption>"
        yield f"{chart_svg(series, words)}\n</figure>"
        slots = [slot for slot in packet.overused if slot.slot_at // DAY_MS == series.day]
        if listed + len(slots) <= SLOTS_LISTED_MAX:
            yield from _slots(series, slots, words)
            listed += len(slots)
    if len(drawn) < len(packet.days):
        yield f"<p>{escape(words.say('chart_more', len(packet.days) - len(drawn)))}</p>"


def _slots(series: DaySeries, slots: Iterable[OverusedSlot], words: Language) -> Iterator[str]:
    caption = words.say("chart_table", date=words.date(series.day * DAY_MS))
    names = ("from_time", "until_time", "legend_count", "legend_entitled", "legend_overuse")
    rows = (
        (clock(slot.slot_at), clock(slot.until_at), *map(words.number, (slot.count, slot.entitled, slot.overuse)))
        for slot in slots
    )
    yield from _table((words.say(name) for name in names), rows, caption=caption, numbers=(2, 3, 4))


def _what_ifs(packet: Packet, words: Language) -> Iterator[str]:
    names = ("without_sessions", "sessions", "peak", "overuse", "overuse_days", "licences", "amount", "difference")
    rows = [_what_if(packet, WhatIf((), 0, packet.line), words.say("as_billed"), words)]
    rows += [
        _what_if(packet, what_if, words.say("marked", flag=words.flags[what_if.flags[0]]), words)
        for what_if in packet.alone
    ]
    rows.append(_what_if(packet, packet.together, words.say("any_mark"), words))
    yield from _table((words.say(name) for name in names), rows, numbers=range(1, 8), kind="what-if")
    meanings = [f"<dt>{escape(words.flags[flag])}</dt><dd>{escape(words.meanings[flag])}</dd>" for flag in FLAGS]
    yield "<dl>\n" + "\n".join(meanings) + "\n</dl>"


def _what_if(packet: Packet, what_if: WhatIf, name: str, words: Language) -> tuple[str, ...]:
    line = what_if.line
    has_difference = line.amount is not None and packet.line.amount is not None
    difference = (packet.line.amount or 0) - (line.amount or 0)
    return (
        name,
        words.number(what_if.sessions),
        words.number(line.peak),
        words.number(line.overuse),
        words.number(line.overuse_days),
        words.number(line.term_licenses),
        _money(line.amount, packet, words),
        _money(difference if has_difference else None, packet, words),
    )


def _evidence(packet: Packet, words: Language) -> Iterator[str]:
    names = (
        "user", "machine", "session", "code", "opened", "last_seen", "open_for", "activity", "overused_slots", "marks",
    )  # fmt: skip
    yield f"<p>{escape(words.say('evidence_note'))}</p>"
    rows = (_session(evidence, words) for evidence in packet.evidence)
    yield from _table((words.say(name) for name in names), rows, numbers=(6, 7), names=(0, 1, 2, 3), kind="evidence")


def _session(evidence: Evidence, words: Language) -> tuple[str, ...]:
    session, key = evidence.session, evidence.session.key
    return (
        key.user,
        key.machine,
        key.session,
        key.product,
        _moment(session.opened_at),
        _moment(session.last_at),
        _length(open_ms(session)),
        _length(active_ms(session)),
        _ranges(evidence.slots),
        ", ".join(words.flags[flag] for flag in evidence.flags),
    )


def _ticket(ticket: Ticket, words: Language) -> Iterator[str]:
    fields = {"category": ticket.category, "subcategory": ticket.subcategory, "subject": ticket.subject}
    rows = [
        f'<tr><th scope="row">{escape(words.say(name))}</th><td>{escape(value)}</td></tr>'
        for name, value in fields.items()
    ]
    yield '<table class="facts"><tbody>\n' + "\n".join(rows) + "\n</tbody></table>"
    for paragraph in ticket.body:
        head, *items = paragraph.split("\n- ")
        if items:
            yield f"<p>{escape(head)}</p>\n<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        else:
            yield f"<p>{escape(paragraph).replace(chr(10), '<br>')}</p>"


def _basis(packet: Packet, words: Language) -> Iterator[str]:
    basis, quarter = packet.basis, words.quarter(packet.period.name)
    state = words.say("state_closed" if packet.state == "closed" else "state_open")
    yield words.say("basis_statement", account=packet.account, quarter=quarter, state=state)
    yield words.say("basis_contract", contract=basis.contract)
    if basis.complete_until is None:
        yield words.say("basis_incomplete")
    else:
        when = f"{words.date(basis.complete_until)} {clock(basis.complete_until)}"
        yield words.say("basis_complete", when=when)
    yield words.say(
        "basis_evidence", heartbeats=words.number(basis.heartbeats), dead_letters=words.number(basis.dead_letters)
    )
    yield words.say("basis_program", version=basis.seatbeat)


def _table(
    heads: Iterable[str],
    rows: Iterable[Iterable[str]],
    *,
    caption: str = "",
    numbers: Iterable[int] = (),
    names: Iterable[int] = (),
    kind: str = "",
) -> Iterator[str]:
    """A table with a header row. ``numbers`` are right-aligned columns, ``names`` columns with texts of any script."""
    right, isolated = frozenset(numbers), frozenset(names)
    yield f'<table class="{kind}">' if kind else "<table>"
    if caption:
        yield f"<caption>{escape(caption)}</caption>"
    cells = (f'<th scope="col"{_set(number, right)}>{escape(head)}</th>' for number, head in enumerate(heads))
    yield f"<thead><tr>{''.join(cells)}</tr></thead>\n<tbody>"
    for row in rows:
        cells = (
            f"<td{_set(number, right)}>{f'<bdi>{escape(cell)}</bdi>' if number in isolated else escape(cell)}</td>"
            for number, cell in enumerate(row)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"


def _set(number: int, right: frozenset[int]) -> str:
    return ' class="number"' if number in right else ""


def _money(minor: int | None, packet: Packet, words: Language) -> str:
    return words.say("no_price") if minor is None else words.money(minor, packet.currency)


def _moment(at: int) -> str:
    return iso(at)[:19].replace("T", " ")


def _length(ms: int) -> str:
    seconds = ms // SECOND_MS
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _ranges(slots: tuple[int, ...]) -> str:
    """The starts of slots, the first and the last of each day: ``2022-06-29 10:00 to 11:30 (10)``."""
    days: dict[int, list[int]] = {}
    for at in slots:
        days.setdefault(at // DAY_MS, []).append(at)
    return ", ".join(
        f"{calendar_day(day).isoformat()} {clock(starts[0])}"
        + (f"\u2013{clock(starts[-1])} ({len(starts)})" if starts[1:] else "")
        for day, starts in days.items()
    )
