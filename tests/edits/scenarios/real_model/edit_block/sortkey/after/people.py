def oldest(people):
    return sorted(people, key=lambda p: p["age"])[len(people) - 1]


def names(people):
    return [p["name"] for p in people]
