import account

print(account)
