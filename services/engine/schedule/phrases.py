"""Words for times in English, Portuguese, Spanish and Russian, as the one small vocabulary that natural.py reads.

Words are compared without accents and in small letters; the longest phrase wins.
"""

import re
import unicodedata
from functools import cache

DAY_WORDS = {
    "mon": "monday mondays mon segunda segundas segunda-feira segundas-feiras lunes "
    "понедельник понедельника понедельникам",
    "tue": "tuesday tuesdays tue terca tercas terca-feira tercas-feiras martes вторник вторника вторникам",
    "wed": "wednesday wednesdays wed quarta quartas quarta-feira quartas-feiras miercoles среда среду средам",
    "thu": "thursday thursdays thu quinta quintas quinta-feira quintas-feiras jueves четверг четверга четвергам",
    "fri": "friday fridays fri sexta sextas sexta-feira sextas-feiras viernes пятница пятницу пятницам",
    "sat": "saturday saturdays sat sabado sabados суббота субботу субботам",
    "sun": "sunday sundays sun domingo domingos воскресенье воскресенья воскресеньям",
}
WORDS = {
    "every": "every each cada a_cada todo toda todos todas todo_o toda_a todos_os todas_as todos_los todas_las "
    "каждые каждый каждую каждое каждая все раз_в",
    "second": "second seconds segundo segundos секунда секунду секунды секунд",
    "minute": "minute minutes min mins minuto minutos минута минуту минуты минут",
    "hour": "hour hours hora horas час часа часов",
    "day": "day days dia dias день дня дней",
    "week": "week weeks semana semanas неделя неделю недели недель",
    "month": "month months mes meses месяц месяца месяцев",
    "year": "year years ano anos год года лет",
    "every hour": "hourly ежечасно de_hora_em_hora",
    "every minute": "ежеминутно de_minuto_em_minuto",
    "every day": "daily diariamente diario a_diario ежедневно",
    "every week": "weekly semanalmente semanal еженедельно",
    "every month": "monthly mensalmente mensualmente mensal mensual ежемесячно",
    "every year": "yearly annually anualmente anual ежегодно",
    "weekday": "weekday weekdays week_day week_days dia_util dias_uteis dia_laborable dias_laborables dia_habil "
    "dias_habiles entre_semana будни будням будний_день рабочий_день рабочие_дни рабочим_дням будние_дни",
    "weekend": "weekend weekends fim_de_semana fins_de_semana final_de_semana finais_de_semana fin_de_semana "
    "fines_de_semana выходные выходным выходной",
    "business": "business_hours working_hours office_hours horario_comercial horario_laboral horario_de_oficina "
    "horario_de_expediente horas_uteis horas_laborables рабочее_время рабочие_часы",
    "at": "at as a_las a_la в во",
    "from": "from between desde entre das de с со между",
    "to": "to a until till through ate hasta ao as_as до по_до",
    "and": "and e y и , ;",
    "on": "on on_the in_the the no na nos nas em el la los las en по do da del",
    "during": "during durante durante_o durante_el в_течение",
    "noon": "noon midday meio-dia meio_dia mediodia полдень",
    "midnight": "midnight meia-noite meia_noite medianoche полночь",
    "am": "am a.m. da_manha de_la_manana утра ночи da_madrugada de_la_madrugada",
    "pm": "pm p.m. da_tarde de_la_tarde da_noite de_la_noche вечера часа_дня час_дня часов_дня",
    "first": "first primeiro primeira primer primero primera первый первого первое",
    "last": "last ultimo ultima последний последнего",
    "of": "of",
    "th": "st nd rd th числа число",
    "o'clock": "o'clock ч h hs hrs",
}
PATTERN = re.compile(r"\d{1,2}[:h.]\d{2}(?::\d{2})?|\d{1,2}h(?!\w)|\d+|[^\W\d_]+(?:[-'.][^\W\d_]+)*\.?|[,;]|\S")
LONGEST = 4


def plain(text: str) -> str:
    """Small letters without accents."""
    apart = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in apart if not unicodedata.combining(char))


@cache
def vocabulary() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Words of a phrase -> tokens."""
    made: dict[tuple[str, ...], tuple[str, ...]] = {}
    for token, phrases in (WORDS | DAY_WORDS).items():
        for phrase in plain(phrases).split():
            made[tuple(phrase.split("_"))] = tuple(token.split())
    return made


def tokens_of(text: str) -> list[str]:
    """The tokens of a text; a word that is not known stays as "?word"."""
    words = [word.rstrip(".") if word not in {"a.m.", "p.m."} else word for word in PATTERN.findall(plain(text))]
    known, found, place = vocabulary(), list[str](), 0
    while place < len(words):
        for length in range(min(LONGEST, len(words) - place), 0, -1):
            phrase = known.get(tuple(words[place : place + length]))
            if phrase is not None:
                found += phrase
                place += length
                break
        else:
            word = words[place]
            found.append(word if word[:1].isdigit() else f"?{word}")
            place += 1
    return found
