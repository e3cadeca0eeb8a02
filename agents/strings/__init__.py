"""What the agents say in words of their own: one catalogue a language."""

from pathlib import Path

from tools.texts import Texts

STRINGS = Texts(Path(__file__).parent)
say = STRINGS.say
