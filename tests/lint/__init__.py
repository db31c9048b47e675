"""Lints of this project that no tool brings: names, the tree of packages, commit subjects.

``python -m tests.lint [FILE …]`` checks names in the given files (all of ``pipeline`` and ``tests`` without any) and
the tree of packages; ``python -m tests.lint.commit_subject FILE`` checks a commit message. Both print a line per
mistake, ``path:line: what is wrong``, and end with status 1 where there is one.
"""
