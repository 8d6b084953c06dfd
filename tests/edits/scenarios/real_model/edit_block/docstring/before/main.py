import names

print(names)
