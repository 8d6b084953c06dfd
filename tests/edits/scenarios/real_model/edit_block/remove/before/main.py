import debug

print(debug)
