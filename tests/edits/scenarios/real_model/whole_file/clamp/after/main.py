import limits

print(limits)
