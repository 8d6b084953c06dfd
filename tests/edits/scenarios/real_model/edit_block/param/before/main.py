import greet

print(greet)
