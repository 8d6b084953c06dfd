def oldest(people):
    return sorted(people, key=lambda p: p["age"])[0]


def names(people):
    return [p["name"] for p in people]
