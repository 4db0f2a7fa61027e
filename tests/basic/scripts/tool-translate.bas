PARAM text AS STRING LIKE "Good morning" DESCRIPTION "Text to translate"
PARAM language AS STRING LIKE "pt" DESCRIPTION "Code of the language"
DESCRIPTION "Translates a text"
known = ["en", "pt", "es", "fr", "de"]
IF NOT IN_ARRAY(language, known) THEN
    language = "en"
ENDIF
translated = TRANSLATE text, language
TALK translated
