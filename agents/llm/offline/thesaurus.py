"""Brings words of the students and words of the documents that mean the same to one form."""

import re
from collections.abc import Mapping

from agents.llm.offline.programmes import stem
from agents.runtime.guards.input import fold

#: Each line is one meaning, in both languages.
_GROUPS = (
    "mail send ship shipping post deliver enviar envia envian envio envios mandar mandan manda",
    "papel papeles documento documentos papers paperwork documents",
    "abroad overseas foreign extranjero exterior",
    "cost costs price fee charge charged costo cuesta cuestan precio cobra cobran cobro tarifa",
    "refund refunded refunds reimburse devolucion devuelven devuelve devolver reembolso devuelto",
    "withdraw withdrawal cancel retiro retiras retirar retirarme arrepiento cancelo cancelar",
    "mbps megas mega megabits bandwidth velocidad",
    "internet connection wifi conexion",
    "printed paper hardcopy impreso impresa fisico",
    "answer answers reply response respond contesta contestan respuesta responden avisan avisarme",
    "admitted admissions admission admitieron admision aceptaron accepted",
    "applied apply application applying postulo postular postule postulacion",
    "deadline plazo limit limite",
    "collect pick recoger recojo recogerlo",
    "authorise authorize autorizar autoriza",
    "before antes",
    "late overdue tarde vencida mora atraso atrase",
    "fails fail error cannot problem",
    "password contrasena clave",
    "class classes clase clases",
    "hear sound audio escucho escucha sonido",
    "watch available ver disponibles",
    "secundaria colegio highschool secondary",
    "licenciatura licenciaturas bachelor bachelors",
    "maestria maestrias master masters",
    "requisito requisitos requirement requirements requires",
    "medios formas methods ways",
    "pasos steps",
    "pay paid payment payments pagar paga pago pagos",
    "free gratis gratuito gratuita",
)
#: Turns of talk that no document uses, as documents say them.
REWORDINGS: Mapping[str, str] = {
    r"\bme arrepiento\b": "me retiro",
    r"\b(?:si )?cambio de (?:idea|opini[oó]n)\b": "me retiro",
    r"\bme (?:devuelven|regresan) (?:toda? )?(?:mi |la |el )?(?:plata|dinero|todo)\b": (
        "cuánto se devuelve"
    ),
    r"\bchange my mind\b": "withdraw",
    r"\b(?:my|the) money back\b": "a refund",
}
_MEANINGS: Mapping[str, str] = {
    stem(word): group.split()[0] for group in _GROUPS for word in group.split()
}
_COMMON = frozenset(
    "para como cual cuales cuando cuanto cuanta cuantos cuantas donde puedo puede pueden tengo "
    "tiene tienen necesito quiero hacer hago sobre este esta estos desde hasta pero what when "
    "where which much many long does have need want with from that this there your about "
    "would could should curso cursos course courses will they them someone else just till "
    "until after debo todo termine terminado acabe acabo finished completed already".split()
)


def meanings_of(text: str) -> frozenset[str]:
    """Return the telling words of a text, each as what stands for its meaning."""
    words = re.findall(r"\w+", fold(text))
    stems = {stem(w) for w in words if (len(w) > 3 or w == "pay") and w not in _COMMON}
    return frozenset(_MEANINGS.get(s, s) for s in stems)
