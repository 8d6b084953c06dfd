import pages

print(pages)
