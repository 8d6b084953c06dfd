import temp

print(temp)
