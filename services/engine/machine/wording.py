"""What the machine itself says to people, in their language."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "retry": "Sorry, I did not understand that. I expected {expected}.",
        "failed": "Something went wrong in this conversation. Please try again later.",
        "EMAIL": "an e-mail address, such as ana@example.com",
        "DATE": "a date, such as 25/12/2026",
        "NAME": "a name",
        "INTEGER": "a whole number",
        "FLOAT": "a number",
        "BOOLEAN": "yes or no",
        "HOUR": "a time, such as 14:30",
        "MONEY": "an amount, such as 19.90",
        "MOBILE": "a phone number with area code",
        "CHOICE": "one of: {options}",
        "FILE": "a file",
        "other": "something else",
    },
    "pt": {
        "retry": "Desculpe, não entendi. Eu esperava {expected}.",
        "failed": "Algo deu errado nesta conversa. Tente novamente mais tarde.",
        "EMAIL": "um e-mail, como ana@example.com",
        "DATE": "uma data, como 25/12/2026",
        "NAME": "um nome",
        "INTEGER": "um número inteiro",
        "FLOAT": "um número",
        "BOOLEAN": "sim ou não",
        "HOUR": "uma hora, como 14:30",
        "MONEY": "um valor, como 19,90",
        "MOBILE": "um telefone com DDD",
        "CHOICE": "uma destas opções: {options}",
        "FILE": "um arquivo",
        "other": "outra coisa",
    },
    "es": {
        "retry": "Perdón, no lo entendí. Esperaba {expected}.",
        "failed": "Algo salió mal en esta conversación. Inténtalo más tarde.",
        "EMAIL": "un correo, como ana@example.com",
        "DATE": "una fecha, como 25/12/2026",
        "NAME": "un nombre",
        "INTEGER": "un número entero",
        "FLOAT": "un número",
        "BOOLEAN": "sí o no",
        "HOUR": "una hora, como 14:30",
        "MONEY": "un importe, como 19,90",
        "MOBILE": "un teléfono con prefijo",
        "CHOICE": "una de estas opciones: {options}",
        "FILE": "un archivo",
        "other": "otra cosa",
    },
    "ru": {
        "retry": "Извините, я не понял. Нужно: {expected}.",
        "failed": "В этой беседе что-то пошло не так. Попробуйте позже.",
        "EMAIL": "адрес почты, например ana@example.com",
        "DATE": "дата, например 25.12.2026",
        "NAME": "имя",
        "INTEGER": "целое число",
        "FLOAT": "число",
        "BOOLEAN": "да или нет",
        "HOUR": "время, например 14:30",
        "MONEY": "сумма, например 19,90",
        "MOBILE": "телефон с кодом",
        "CHOICE": "один из вариантов: {options}",
        "FILE": "файл",
        "other": "что-то другое",
    },
}


def say(key: str, locale: str, **values: str) -> str:
    """A text in the language of the locale; English where there is none."""
    words = WORDS.get(locale[:2].lower(), WORDS["en"])
    return words.get(key, words["other"]).format(**values)
