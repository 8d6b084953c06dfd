class Account:
    def __init__(self, balance=0):
        self.balance = balance

    def deposit(self, amount):
        self.balance += amount

        if amount > self.balance:
            raise ValueError("Insufficient funds")
        self.balance -= amount
