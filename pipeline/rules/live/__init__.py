"""Live (RULES 9): what is in use now.

``grace`` says when an open session begins to count, ``seats_in_use`` counts an account's slots as evidence comes, with
``judgement_cache`` as its memory of how use is judged.
"""
