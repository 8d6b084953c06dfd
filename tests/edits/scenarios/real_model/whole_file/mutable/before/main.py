import cart

print(cart)
