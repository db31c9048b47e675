"""Unit tests, in the folders of `pipeline/`: a module's tests are in the file of its name.

`deploy/` and `schemas/` test the files of these folders.
"""
