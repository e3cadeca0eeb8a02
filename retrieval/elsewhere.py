"""Sentences about other things: a query that is as near to them is not about the institution."""

import asyncio

import numpy as np

from retrieval.embed.cache import VectorCache
from retrieval.embed.protocol import Embedder, Matrix, Vector
from retrieval.models import hash_text

#: What people also say to a chat box; nothing of it is about studying somewhere.
SENTENCES = (
    "El pronóstico anuncia lluvia y cielo nublado.",
    "El equipo ganó el partido por dos goles.",
    "Mezcla la harina con los huevos y hornea media hora.",
    "La capital del país tiene tres millones de habitantes.",
    "Un chiste corto para reír con amigos.",
    "La película se estrena esta noche en los cines.",
    "La tasa de cambio subió esta semana.",
    "Un poema de amor y nostalgia.",
    "Cómo reparar un electrodoméstico en casa.",
    "El presidente ganó las elecciones.",
    "Los síntomas más comunes son fiebre y dolor de cabeza.",
    "Resuelve la ecuación y despeja la incógnita.",
    "Traducción de saludos a otro idioma.",
    "El vuelo sale del aeropuerto a las seis.",
    "El restaurante sirve platos típicos.",
    "Compra un teléfono nuevo en oferta.",
    "El perro y el gato son mascotas.",
    "La canción llegó al primer lugar.",
    "El planeta gira alrededor del sol.",
    "Hoy hablé con mi familia sobre las vacaciones.",
    "The forecast says rain and a cloudy sky.",
    "The team won the match by two goals.",
    "Mix the flour with the eggs and bake for half an hour.",
    "The capital of the country has three million inhabitants.",
    "A short joke to laugh with friends.",
    "The film opens in cinemas tonight.",
    "The exchange rate rose this week.",
    "A poem of love and longing.",
    "How to repair a household appliance.",
    "The president won the election.",
    "The most common symptoms are fever and headache.",
    "Solve the equation for the unknown.",
    "Translation of greetings into another language.",
    "The flight leaves the airport at six.",
    "The restaurant serves typical dishes.",
    "Buy a new phone on sale.",
    "Dogs and cats are pets.",
    "The song reached number one.",
    "The planet goes round the sun.",
    "Today I talked with my family about the holidays.",
)


class Elsewhere:
    """The vectors of those sentences, from the cache or made at the first use.

    Args:
        cache: without it making them takes about half a second.
    """

    def __init__(self, embedder: Embedder, cache: VectorCache) -> None:
        self._embedder = embedder
        self._cache = cache
        self._vectors: Matrix | None = None
        self._lock = asyncio.Lock()

    async def nearness(self, vector: Vector) -> float:
        """Return the largest inner product of a query with one of the sentences.

        Raises: EmbedderUnavailable.
        """
        async with self._lock:
            if self._vectors is None:
                self._vectors = await self._load()
        return float(np.max(self._vectors @ vector))

    async def _load(self) -> Matrix:
        cached = self._cache.pick(map(hash_text, SENTENCES))
        if len(cached) == len(SENTENCES):
            return np.stack(list(cached.values()))
        return await self._embedder.embed_passages(SENTENCES)
