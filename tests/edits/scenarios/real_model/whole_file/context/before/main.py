import store

print(store)
