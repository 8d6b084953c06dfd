import leap

print(leap)
