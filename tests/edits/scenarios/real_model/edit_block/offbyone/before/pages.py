def pages(count, size):
    return count // size


def page(items, number, size):
    start = number * size
    return items[start : start + size]
