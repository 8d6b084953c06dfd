def Gamma(rows):
    total = 0
    for row in rows:
        total += row
    return total


def Beta(rows):
    total = 0
    for row in rows:
        total += row
    return total


def Delta(rows):
    total = 0
    for row in rows:
        total += row  # new
    return total


