import point

print(point)
