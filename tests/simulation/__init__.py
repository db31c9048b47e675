"""A deterministic simulation of the pipeline, and an auditor that checks it. See README.md."""
