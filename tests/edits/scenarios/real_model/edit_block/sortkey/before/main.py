import people

print(people)
