"""Pictures, sound, video: what needs models the installation does not have yet."""

from services.engine.keywords.keyword import Effect
from services.engine.keywords.planned import planned

VISION, SPEECH, PICTURES = "a model that sees", "a model that speaks", "a model that makes pictures"
READ = Effect.READ
PERMISSION = "models.media"

KEYWORDS = (
    planned(
        "OCR",
        "media",
        ("OCR <file>",),
        "Gives the text in a picture or a scanned document.",
        'text = OCR "receipt.png"',
        VISION,
        effect=READ,
        permission=PERMISSION,
    ),
    planned(
        "SEE",
        "media",
        ("SEE <image> [, <question>]",),
        "Says what is in a picture.",
        'words = SEE "photo.jpg", "Is the box damaged?"',
        VISION,
        effect=READ,
        permission=PERMISSION,
    ),
    planned(
        "IMAGE",
        "media",
        ("IMAGE <prompt> [, <options>]",),
        "Makes a picture of words.",
        'picture = IMAGE "A tea house by the sea"',
        PICTURES,
        permission=PERMISSION,
    ),
    planned(
        "VIDEO",
        "media",
        ("VIDEO <prompt> [, <seconds>]",),
        "Makes a video of words.",
        'clip = VIDEO "Tea being poured", 5',
        "a model that makes videos",
        permission=PERMISSION,
    ),
    planned(
        "AUDIO",
        "media",
        ("AUDIO <text> [, <voice>]",),
        "Speaks a text.",
        'sound = AUDIO "Your tea is ready."',
        SPEECH,
        permission=PERMISSION,
    ),
    planned(
        "DETECT",
        "media",
        ("DETECT <data> [, <field>] [, <options>]", "DETECT ANOMALIES <data> [, <field>]"),
        "Finds what is unusual in a table.",
        'strange = DETECT "orders"',
        "a finder of anomalies",
        effect=READ,
        permission=PERMISSION,
    ),
    planned(
        "DETECT FACES",
        "media",
        ("DETECT FACES <image>",),
        "Finds faces in a picture.",
        'faces = DETECT FACES "photo.jpg"',
        VISION,
        effect=READ,
        permission=PERMISSION,
    ),
    planned(
        "GET IMAGE",
        "media",
        ("GET IMAGE <query> [, <count>]",),
        "Looks for a picture of something.",
        'picture = GET IMAGE "tea house"',
        "a search for pictures",
        effect=READ,
        permission=PERMISSION,
    ),
)
