import listing

print(listing)
