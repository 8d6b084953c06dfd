ABSOLUTE_ZERO = -273.15


def to_fahrenheit(celsius):
    return celsius * 9 / 5 + 32


def to_kelvin(celsius):
    return celsius - ABSOLUTE_ZERO
