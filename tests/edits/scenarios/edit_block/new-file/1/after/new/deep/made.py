# Kettle

A small library for boiling water. It has no dependencies, runs everywhere and
says what it does.

## Install

Use the package manager of your choice:

    pip install kettle

## Use

Fill it, heat it, and wait until it boils:

    kettle = Kettle()
    kettle.fill(1.2)
    while not kettle.heat(20_000):
        print(kettle.celsius)

