import math


def mean(values):
    return sum(values) / len(values)


def spread(values):
    middle = mean(values)
    return math.sqrt(sum((v - middle) ** 2 for v in values) / len(values))
