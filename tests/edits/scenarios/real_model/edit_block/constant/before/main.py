import retry

print(retry)
