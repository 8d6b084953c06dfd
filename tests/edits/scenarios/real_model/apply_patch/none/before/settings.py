DEFAULTS = {"color": "blue", "size": 3}


def get(settings, key):
    return settings[key]


def keys():
    return list(DEFAULTS)
