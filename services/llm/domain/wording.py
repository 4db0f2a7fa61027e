"""What the built-in provider says, in four languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """Sentences of one language. `unanswered`: the documents are silent; `nothing`: there were no documents."""

    found: str
    unanswered: str
    nothing: str
    notice: str


WORDINGS = {
    "en": Wording(
        "The documents say:",
        "The documents do not answer this.",
        "I found nothing about this in the documents.",
        "(No language model is configured; I can only quote documents.)",
    ),
    "pt": Wording(
        "Os documentos dizem:",
        "Os documentos não respondem a isso.",
        "Não encontrei nada sobre isso nos documentos.",
        "(Nenhum modelo de linguagem está configurado; só posso citar documentos.)",
    ),
    "es": Wording(
        "Los documentos dicen:",
        "Los documentos no responden a esto.",
        "No encontré nada sobre esto en los documentos.",
        "(No hay ningún modelo de lenguaje configurado; solo puedo citar documentos.)",
    ),
    "ru": Wording(
        "В документах сказано:",
        "Документы не отвечают на этот вопрос.",
        "Я ничего не нашёл об этом в документах.",
        "(Языковая модель не настроена; я могу только цитировать документы.)",
    ),
}
