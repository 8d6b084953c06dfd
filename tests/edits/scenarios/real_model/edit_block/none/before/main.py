import settings

print(settings)
