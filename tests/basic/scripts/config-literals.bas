config = #{
    "name": "Bot",
    "settings": #{
        "colors": ["#FF0000", "#00FF00", '#0000FF'],
        "limits": { "max": 10, "min": -5, "ratio": 0.5 },
        "enabled": TRUE,
        "nothing": NULL,
        "fn": UCASE("x"),
        "now": NOW(),
        "cond": IIF(a > 1, "x", "y"),
        "calc": (1 + 2) * 3,
        "neg": -1,
        "str": "a" + "b",
        "tmpl": "Hi ${name}",
        "nested": [[1, 2], [3, [4, 5]]],
        "empty": {},
        "emptyarr": [],
        key: value,
        "with space": 1,
        "with-dash": 2,
        "uni-ç": "ã",
        1: "one"
    },
    items: [
        { id: 1, tags: ["a", "b"] },
        #{ id: 2, tags: [] },
    ]
}
TALK config.settings.colors[0] + config["settings"]["with-dash"] + config.items[1].id
config.settings.new = 5
config["x-y"] = 1
