ABSOLUTE_ZERO = -273.15


def to_fahrenheit(celsius: float) -> float:
    return celsius * 9 / 5 + 32


def to_kelvin(celsius: float) -> float:
    return celsius - ABSOLUTE_ZERO
