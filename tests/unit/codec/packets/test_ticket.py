"""Dispute packets as tickets: the text to paste and the fields of the form."""

from __future__ import annotations

from pipeline.codec.packets.language import Tongue, language
from pipeline.codec.packets.packet_files import NAMES
from pipeline.codec.packets.ticket import ATTACHMENTS, ticket_of
from tests.support.evidence.packet_texts import EXAMPLE, each_language, text_of


def test_the_ticket_contains_the_text_to_paste() -> None:
    assert text_of(EXAMPLE, "text").replace("\u00a0", " ") == (
        "Category: Invoice\n"
        "Sub-category: Goodwill request\n"
        "Subject: Invoice INV-2022-0815: goodwill request for quarterly term licences of MicroStation (MSTN), Q2 2022\n"
        "\n"
        "Dear Sir or Madam,\n"
        "\n"
        "With invoice INV-2022-0815 you charge us for use of MicroStation (MSTN) in CZ, Q2 2022 (1 April 2022 to "
        "30 June 2022). By our own metering 3 quarterly term licences are due for it, 2,880.00 EUR in all.\n"
        "\n"
        "We are entitled to 1 licence of it. This was exceeded on 1 day, in 3 slots of 10 minutes; at the most by 3, "
        "on 3 May 2022 at 15:10 UTC. 4 sessions count in these slots (3 users, 4 machines); all are listed in the "
        "evidence attached.\n"
        "\n"
        "Our reasons:\n"
        "- 1 session was opened by accident: its user's only one on that day, open for at most 30 minutes, with at "
        "most 5 minutes of activity. Without this use 2 licences are due, 960.00 EUR less.\n"
        "- 1 session was left open and forgotten: nobody operated the program in its last 2 hours. Without this use "
        "2 licences are due, 960.00 EUR less.\n"
        "- 2 sessions, of 1 user on 2 machines, are those of somebody who had the program open on another machine at "
        "the same time. Without this use 1 licence is due, 1,920.00 EUR less.\n"
        "- In all, 4 of 4 sessions are concerned. Without this use nothing is due, 2,880.00 EUR less.\n"
        "\n"
        "We therefore ask you, as a gesture of goodwill, to waive the term licences charged for this use and to "
        "credit us with 2,880.00 EUR.\n"
        "\n"
        "Attachments:\n"
        "- packet.html: the count of every slot as a chart, who used the product and when, and the line without the "
        "sessions named above\n"
        "- evidence.csv: the sessions that count in the slots concerned\n"
        "- packet.json: all of this for programs\n"
        "\n"
        "Kind regards,\n"
        "acme\n"
    )


@each_language
def test_the_form_fields_keep_the_vendors_words_and_the_subject_has_the_invoice(tongue: Tongue) -> None:
    ticket = ticket_of(EXAMPLE, language(tongue))
    assert ticket.category.startswith("Invoice")
    assert ticket.subcategory.startswith("Goodwill request")
    assert "INV-2022-0815" in ticket.subject
    assert ticket.attachments == tuple(ATTACHMENTS.values())
    assert {"packet.html", "evidence.csv", "packet.json"} == set(ticket.attachments) < set(NAMES.values())
