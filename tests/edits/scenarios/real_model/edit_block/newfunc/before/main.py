import text

print(text)
