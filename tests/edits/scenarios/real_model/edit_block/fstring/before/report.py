def line(name, count, price):
    return "%s: %d x %.2f" % (name, count, price)


def footer(total):
    return "total: %.2f" % total
