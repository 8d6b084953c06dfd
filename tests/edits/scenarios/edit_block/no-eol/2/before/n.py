a = 1
b = 2

# not public
c = 3