class Cart:
    def __init__(self, owner, lines=[]):
        self.owner = owner
        self.lines = lines

    def add(self, name, price):
        self.lines.append((name, price))

    def total(self):
        return sum(price for _, price in self.lines)
