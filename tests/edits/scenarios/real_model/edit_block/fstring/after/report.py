def line(name, count, price):
    return f"{name}: {count} x {price:.2f}"


def footer(total):
    return "total: %.2f" % total
