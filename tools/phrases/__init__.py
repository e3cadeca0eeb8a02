"""What tools say in words of their own: one catalogue a language."""

from pathlib import Path

from tools.texts import Texts

PHRASES = Texts(Path(__file__).parent)
phrase = PHRASES.say
