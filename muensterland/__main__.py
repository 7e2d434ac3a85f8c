"""`python -m muensterland`."""

from muensterland.cli import app

app(prog_name="muensterland")
