"""The log of an account's commands (RULES 5 and 7): data that every reader judges alike.

``first_of_id`` says which record of an id is the command, ``voids`` which evidence is left out, and ``outcomes`` what
became of each command.
"""
